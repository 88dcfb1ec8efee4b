import LemmaBasics

/// Which paths a pipeline may name: places inside the project, away from what is Lemma's and git's.
enum ProjectPath {
  static let byteLimit = 1024
  static let depthLimit = 64
  static let componentLimit = 255

  /// The path without `.`, doubled or trailing slashes, or what is wrong with it.
  /// - Parameter mayLeave: for a source, which is only read: it may be absolute or begin with `..`.
  static func normalise(_ text: String, mayLeave: Bool = false) -> Result<String, Refusal> {
    func refuse(_ reason: String, _ hint: String? = nil) -> Result<String, Refusal> {
      .failure(Refusal(reason: reason, hint: hint))
    }
    let inside = "write it relative to the project's folder"
    let isAbsolute = text.hasPrefix("/")
    if text.isEmpty { return refuse("the path is empty") }
    if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return refuse("a path cannot hold control characters") }
    if isAbsolute, !mayLeave { return refuse("\(quoted(text)) is an absolute path", inside) }
    if text == "~" || text.hasPrefix("~/") { return refuse("~ is not expanded in \(quoted(text))", inside) }
    if text.utf8.count > byteLimit { return refuse("the path is longer than \(byteLimit) bytes") }
    // By bytes: a combining mark behind a slash would hide it from `Character`.
    let parts = text.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }.filter {
      $0 != "."
    }
    let climb = mayLeave && !isAbsolute ? parts.prefix { $0 == ".." } : []
    let rest = parts.dropFirst(climb.count)
    let isInside = !isAbsolute && climb.isEmpty
    if isInside, rest.isEmpty { return refuse("\(quoted(text)) is the whole project", "name a folder inside it") }
    if rest.contains("..") { return refuse("\(quoted(text)) leads upward with '..'", inside) }
    if rest.contains(where: { $0.lowercased() == ".git" }) { return refuse("\(quoted(text)) lies inside .git") }
    if isInside, rest.first == "cache" {
      return refuse("\(quoted(text)) lies inside cache, where the store is", "use another folder, such as results")
    }
    if rest.count > depthLimit { return refuse("the path is deeper than \(depthLimit) folders") }
    if let long = rest.first(where: { $0.utf8.count > componentLimit }) {
      return refuse(
        "\(quoted(long)) is longer than the \(componentLimit) bytes that a file name can have")
    }
    return .success((isAbsolute ? "/" : "") + parts.joined(separator: "/"))
  }

  struct Refusal: Error {
    var reason: String
    var hint: String?
  }

  /// Every folder above the path inside the project, the nearest first.
  static func above(_ path: String) -> some Sequence<String> {
    sequence(first: path) { $0.lastIndex(of: "/").map { slash in String(path[..<slash]) } }.dropFirst()
  }

  /// A value as a part of a file name: what could mislead a file system or a shell is written `%2F`.
  static func escape(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      let isSafe =
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "._-+=@".utf8.contains(byte)
      if isSafe {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        result += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
      }
    }
    return result
  }

  /// The name of a command's output in its execution root: its own name with the path's extension.
  static func fileName(_ output: String, path: String) -> String {
    let last = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
    guard let point = last.lastIndex(of: "."), point > last.startIndex else { return output }
    let ending = last[last.index(after: point)...]
    let isPlain = ending.utf8.allSatisfy { $0 != UInt8(ascii: "%") && $0 > 0x20 && $0 < 0x7F }
    return ending.isEmpty || !isPlain ? output : "\(output).\(ending)"
  }
}

extension Diagnostics {
  /// The normalised path; nil when it is refused, which is reported.
  func path(_ text: String, isSource: Bool = false, at mark: Mark) -> String? {
    switch ProjectPath.normalise(text, mayLeave: isSource) {
    case .success(let path): return path
    case .failure(let refusal):
      report("bad-path", refusal.reason, at: mark, hint: refusal.hint)
      return nil
    }
  }
}
