import Glibc
import LemmaBasics
import LemmaEngine
import LemmaStages

/// What Lemma starts of itself, before any argument is parsed: no command of a person's.
enum HiddenEntries {
  /// Does the hidden entry's work and ends the process, if the arguments name one.
  static func enter() {
    let words = CommandLine.arguments.dropFirst()
    switch words.first {
    case Warden.entry: Warden.main(Array(words.dropFirst()))
    case StageWorker.entry:
      do {
        try StageWorker.main(.standard)
      } catch {
        Terminal.note("\(String(describing: error))")
        exit(70)
      }
    default: return
    }
    exit(0)
  }
}
