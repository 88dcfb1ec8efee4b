import CLinux
import Glibc
import LemmaBasics

/// What the command line prints: the one sink. Everything from outside is escaped here or in `Shown`;
/// colours only where a person looks at a terminal.
enum Terminal {
  enum Colour: String {
    case red = "31"
    case green = "32"
    case yellow = "33"
    case blue = "34"
    case dim = "2"
    case bold = "1"
  }

  static let isInteractive = isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb"
  private static let hasColours = isInteractive && environment("NO_COLOR") == nil
  private static let outputHasColours =
    isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR") == nil && environment("TERM") != "dumb"

  private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  /// Columns of the terminal.
  static var width: Int { Int(lemma_terminal_width(STDERR_FILENO)) }

  static func paint(_ text: Shown, _ colour: Colour, onOutput: Bool = false) -> Shown {
    (onOutput ? outputHasColours : hasColours) ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// A line of the command's answer, to standard output; control characters are escaped.
  static func out(_ text: String, _ colour: Colour? = nil) {
    let shown: Shown = "\(text)"
    write((colour.map { paint(shown, $0, onOutput: true) } ?? shown).text + "\n", to: STDOUT_FILENO)
  }

  static func json(_ value: JSON) { write(printableJSON(value.pretty), to: STDOUT_FILENO) }

  /// A line about how it goes, to standard error.
  static func note(_ text: Shown) { write(text.text + "\n", to: STDERR_FILENO) }

  /// Tells failures: to a person on standard error, and to a program that asked for JSON as
  /// `{"errors": [...]}` on standard output besides.
  static func error(_ failures: [Failure], asJSON: Bool = false) {
    if asJSON { json(["errors": .array(failures.map(\.json))]) }
    for failure in failures { note("\(paint("error:", .red)) \(failure)") }
  }

  /// Writes all of it. A reader that went away (a pager, head) is no reason to complain; a full disk
  /// ends the command, so that nobody takes half an answer for a whole one.
  static func write(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let put = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if put > 0 { rest = rest.dropFirst(put) }
      if put < 0, errno == EINTR { continue }
      if put <= 0 {
        if errno == EPIPE || descriptor == STDERR_FILENO { return }
        error([Failure.system("write", path: "standard output", errno: errno)])
        exit(3)
      }
    }
  }

  /// Seconds as `0.4s`, `12s`, `3:07` or `1:02:09`.
  static func duration(_ seconds: Double) -> String {
    let seconds = min(max(0, seconds), 1e9)
    if seconds < 10 { return "\(fixed(seconds, 1))s" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole)s" }
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return whole < 3600
      ? "\(whole / 60):\(two(whole % 60))" : "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
  }
}
