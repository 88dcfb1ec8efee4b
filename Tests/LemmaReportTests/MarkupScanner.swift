/// A start tag of a page, as a browser would see it.
struct Tag {
  var name: String
  var attributes: [String: String]
}

/// The start tags of a page whose attributes are all in double quotes; `nil` when the text is not of
/// that simple form.
func startTags(_ html: String) -> [Tag]? {
  var tags: [Tag] = []
  var rest = Substring(html)
  while let open = rest.firstIndex(of: "<") {
    rest = rest[rest.index(after: open)...]
    guard let close = rest.firstIndex(of: ">") else { return nil }
    var body = rest[..<close]
    rest = rest[rest.index(after: close)...]
    if body.hasPrefix("/") || body.hasPrefix("!doctype") { continue }
    if body.hasSuffix("/") { body = body.dropLast() }
    let name = body.prefix { $0 != " " }
    body = body.dropFirst(name.count)
    var attributes: [String: String] = [:]
    while let equals = body.firstIndex(of: "=") {
      let key = body[..<equals].drop { $0 == " " }
      body = body[body.index(after: equals)...]
      guard body.first == "\"", let end = body.dropFirst().firstIndex(of: "\"") else { return nil }
      attributes[String(key)] = String(body[body.index(after: body.startIndex)..<end])
      body = body[body.index(after: end)...]
    }
    guard body.allSatisfy({ $0 == " " }) else { return nil }
    tags.append(Tag(name: String(name), attributes: attributes))
  }
  return tags
}

/// The drawings of a page.
func drawings(_ html: String) -> [Substring] {
  var result: [Substring] = []
  var rest = Substring(html)
  while let start = rest.firstRange(of: "<svg "), let end = rest[start.lowerBound...].firstRange(of: "</svg>") {
    result.append(rest[start.lowerBound..<end.upperBound])
    rest = rest[end.upperBound...]
  }
  return result
}

/// Where the points of a path lie, absolute; the commands are those that the drawings use.
func points(ofPath text: String) -> [(x: Double, y: Double)]? {
  var numbers: [Double] = []
  var command: Character?
  var (x, y) = (0.0, 0.0)
  var result: [(x: Double, y: Double)] = []
  func finish() -> Bool {
    switch (command, numbers.count) {
    case (nil, 0): return true
    case ("M", 2), ("L", 2): (x, y) = (numbers[0], numbers[1])
    case ("m", 2), ("l", 2): (x, y) = (x + numbers[0], y + numbers[1])
    case ("H", 1): x = numbers[0]
    case ("h", 1): x += numbers[0]
    case ("V", 1): y = numbers[0]
    case ("v", 1): y += numbers[0]
    case ("C", 6): (x, y) = (numbers[4], numbers[5])
    case ("z", 0): return true
    default: return false
    }
    result.append((x, y))
    return true
  }
  var number = ""
  func flush() -> Bool {
    defer { number = "" }
    if number.isEmpty { return true }
    guard let value = Double(number), value.isFinite else { return false }
    numbers.append(value)
    return true
  }
  for character in text {
    if character.isLetter {
      guard flush(), finish() else { return nil }
      (command, numbers) = (character, [])
    } else if character == " " {
      guard flush() else { return nil }
    } else {
      number.append(character)
    }
  }
  return flush() && finish() ? result : nil
}

/// What is drawn outside of a drawing's view box, or is no number at all.
func strayPoints(_ drawing: Substring) -> [String] {
  guard let tags = startTags(String(drawing)), let box = tags.first?.attributes["viewBox"] else {
    return ["no drawing"]
  }
  let sides = box.split(separator: " ").compactMap { Double($0) }
  guard sides.count == 4, sides[2].isFinite, sides[3].isFinite else { return ["view box \(box)"] }
  func isInside(_ x: Double, _ y: Double) -> Bool {
    x.isFinite && y.isFinite && x >= -1 && x <= sides[2] + 1 && y >= -1 && y <= sides[3] + 1
  }
  var strays: [String] = []
  for tag in tags.dropFirst() {
    let attributes = tag.attributes
    if let path = attributes["d"] {
      guard let points = points(ofPath: path) else {
        strays.append(path)
        continue
      }
      strays += points.filter { !isInside($0.x, $0.y) }.map { "\($0) of \(path)" }
    }
    for (x, y) in [("x", "y"), ("cx", "cy")] {
      guard let left = attributes[x].map({ Double($0) ?? .nan }), let top = attributes[y].map({ Double($0) ?? .nan })
      else { continue }
      let (width, height) = (Double(attributes["width"] ?? "0") ?? .nan, Double(attributes["height"] ?? "0") ?? .nan)
      if !isInside(left, top) || !isInside(left + width, top + height) { strays.append("\(tag)") }
    }
  }
  return strays
}
