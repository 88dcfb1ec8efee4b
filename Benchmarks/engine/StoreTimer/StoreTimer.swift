import Glibc
import LemmaBasics
import LemmaHash
import LemmaStore

/// Times the store alone: what `lemma` does with one file or folder, without a pipeline around it. Used by
/// `store.py`, which compares it with other programs.
///
///     store-timer STORE identify|ingest|verify PATH
///     store-timer STORE put COUNT
///
/// Prints what stands at the path, and the seconds that opening, looking and flushing took.
@main
struct StoreTimer {
  static func main() {
    let words = CommandLine.arguments
    guard words.count == 4 else {
      print("usage: store-timer STORE identify|ingest|verify PATH, or put COUNT")
      exit(64)
    }
    do {
      let start = seconds()
      let store = try Store(at: words[1])
      var shown = "nothing"
      switch words[2] {
      case "identify":
        if let artifact = try store.identify(words[3]) { shown = artifact.json.canonical }
      case "put":
        for number in 0..<(Int(words[3]) ?? 0) {
          try store.put(Array("a small object, number \(number)".utf8))
        }
        shown = words[3]
      case "ingest": shown = try store.ingest(words[3]).json.canonical
      default:
        let found = try store.verifyAll(quarantines: false)
        shown = "\(found.objects) objects, \(found.bytes) bytes, \(found.faults.count) faults"
      }
      let looked = seconds()
      try store.flush()
      print("\(shown) \(looked - start) \(seconds() - looked)")
    } catch {
      print("error: \(error)")
      exit(1)
    }
  }

  private static func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
