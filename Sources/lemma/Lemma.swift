@main struct Lemma { static func main() { print("lemma") } }
