import LemmaCorpus

/// The question that ends a problem, taken apart so that it can be turned into a statement. It
/// covers the closed set of shapes below and says `nil` to everything else.
struct Question: Hashable, Sendable {
  enum Amount: Hashable, Sendable {
    /// `how many NOUN`
    case many(noun: String)
    /// `how much` or `how much money`: an amount of dollars.
    case much
  }

  /// The problem's text before the question's sentence, with the space that parts them.
  var before: String
  /// What stands before `how` in the question's own sentence, such as `If she sells two, `.
  var lead: String
  var amount: Amount
  /// The statement with `{}` for the amount: `She has {} left`.
  var statement: String

  /// - Parameter problem: a text whose last sentence is the question.
  init?(_ problem: String) {
    let text = trimmed(problem)
    guard text.hasSuffix("?") else { return nil }
    let start = Question.lastSentence(of: text)
    let sentence = String(text[start...].dropLast())
    guard let (lead, amount, rest) = Question.amount(in: sentence),
      let statement = Question.statement(amount, rest.split(separator: " ").map(String.init))
    else { return nil }
    before = String(text[..<start])
    self.lead = lead
    self.amount = amount
    self.statement = statement
  }

  /// The statement that the amount is `answer`, as a sentence.
  func sentence(answer: String) -> String {
    let amount = self.amount == .much ? "$\(answer)" : answer
    let pieces = statement.split(separator: "{}", maxSplits: 1, omittingEmptySubsequences: false)
    let text = lead + pieces[0] + amount + pieces[1]
    return text.prefix(1).uppercased() + text.dropFirst() + "."
  }

  /// The noun of the `how many` that ends `problem`, whatever else the question says; `dollars`
  /// for an amount of money.
  static func noun(of problem: String) -> String? {
    let text = trimmed(problem)
    guard text.hasSuffix("?") else { return nil }
    return switch amount(in: String(text[lastSentence(of: text)...].dropLast()))?.amount {
    case .many(let noun): noun
    case .much: "dollars"
    case nil: nil
    }
  }

  /// Where the last sentence begins: behind the last `.`, `!` or `?` that white space follows.
  private static func lastSentence(of text: String) -> String.Index {
    var start = text.startIndex
    var previous: Character = " "
    for index in text.indices {
      if text[index].isWhitespace, ".!?".contains(previous) { start = text.index(after: index) }
      previous = text[index]
    }
    return start
  }

  private static func amount(in sentence: String) -> (lead: String, amount: Amount, rest: String)? {
    let words = sentence.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    guard let how = words.firstIndex(where: { $0.lowercased() == "how" }), how + 2 < words.count else { return nil }
    let lead = words[..<how].map { $0 + " " }.joined()
    // One question only, and one that stands alone or behind a comma.
    guard lead.isEmpty || lead.hasSuffix(", "), !words[(how + 1)...].contains(where: { $0.lowercased() == "how" })
    else { return nil }
    let isAuxiliary: (String) -> Bool = { auxiliaries.contains($0) }
    guard let auxiliary = words[(how + 2)...].firstIndex(where: isAuxiliary) else { return nil }
    let noun = words[(how + 2)..<auxiliary].joined(separator: " ")
    let rest = words[auxiliary...].joined(separator: " ")
    switch words[how + 1].lowercased() {
    case "many":
      guard (1...3).contains(auxiliary - how - 2), !noun.hasPrefix("more"), !noun.contains(where: \.isPunctuation)
      else { return nil }
      return (lead, .many(noun: noun), rest)
    case "much":
      return noun.isEmpty || noun == "money" ? (lead, .much, rest) : nil
    default: return nil
    }
  }

  private static let auxiliaries: Set<String> = [
    "does", "do", "did", "are", "were", "is", "was", "will", "can",
    "would", "remain",
  ]

  private static let determiners: Set<String> = [
    "a", "an", "the", "his", "her", "their", "its", "my", "this", "that", "each", "every", "all", "both",
  ]

  private static func statement(_ amount: Amount, _ words: [String]) -> String? {
    guard let auxiliary = words.first else { return nil }
    let rest = words.dropFirst()
    let quantity =
      switch amount {
      case .many(let noun): "{} \(noun)"
      case .much: "{}"
      }
    func joined(_ parts: [String]) -> String { parts.filter { !$0.isEmpty }.joined(separator: " ") }
    if auxiliary == "remain" { return words.count == 1 ? joined([quantity, auxiliary]) : nil }
    if ["are", "were", "is", "was"].contains(auxiliary) {
      guard case .many = amount else { return nil }
      if let subject = rest.first, subject == "there" || subject == "that" {
        return joined([subject, auxiliary, quantity, rest.dropFirst().joined(separator: " ")])
      }
      return joined([quantity, auxiliary, rest.joined(separator: " ")])
    }
    // The subject runs up to the first verb that is known.
    guard let verb = rest.indices.dropFirst().first(where: { Verbs.past[words[$0]] != nil }), verb <= 4 else {
      return nil
    }
    let subject = words[1..<verb].joined(separator: " ")
    // `does the play cost`: what looks like the verb is the subject's noun.
    guard !determiners.contains(words[verb - 1].lowercased()) else { return nil }
    guard let predicate = Verbs.inflected(words[verb], auxiliary: auxiliary) else { return nil }
    return joined([subject, predicate, quantity, words[(verb + 1)...].joined(separator: " ")])
  }
}

/// The verbs that a question can be about, and how they stand in a statement.
enum Verbs {
  static let past: [String: String] = [
    "bake": "baked", "build": "built", "buy": "bought", "carry": "carried", "catch": "caught",
    "collect": "collected", "cook": "cooked", "cost": "cost", "count": "counted", "cut": "cut", "drink": "drank",
    "drive": "drove", "earn": "earned", "eat": "ate", "fill": "filled", "find": "found", "fix": "fixed",
    "get": "got", "give": "gave", "grow": "grew", "have": "had", "keep": "kept", "knit": "knit", "lay": "laid",
    "lose": "lost", "make": "made", "need": "needed", "own": "owned", "pack": "packed", "paint": "painted",
    "pay": "paid", "pick": "picked", "plant": "planted", "play": "played", "put": "put", "read": "read",
    "receive": "received", "ride": "rode", "run": "ran", "save": "saved", "score": "scored", "sell": "sold",
    "send": "sent", "serve": "served", "sew": "sewed", "spend": "spent", "swim": "swam", "take": "took",
    "travel": "traveled", "use": "used", "walk": "walked", "wash": "washed", "weigh": "weighed", "work": "worked",
    "write": "wrote",
  ]

  /// The verb after its subject, without the auxiliary of the question where the statement has none.
  static func inflected(_ verb: String, auxiliary: String) -> String? {
    switch auxiliary {
    case "do": verb
    case "does": thirdPerson(verb)
    case "did": past[verb]
    case "will", "can": "\(auxiliary) \(verb)"
    default: nil
    }
  }

  private static func thirdPerson(_ verb: String) -> String {
    if verb == "have" { return "has" }
    if verb.hasSuffix("y"), let before = verb.dropLast().last, !"aeiou".contains(before) {
      return verb.dropLast() + "ies"
    }
    let takesES = ["s", "sh", "ch", "x", "o"].contains { verb.hasSuffix($0) }
    return verb + (takesES ? "es" : "s")
  }
}
