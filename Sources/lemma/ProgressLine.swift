import Glibc
import LemmaBasics
import LemmaEngine
import Synchronization

/// One line on a terminal that is written over as work goes on; nothing elsewhere. Any thread may show.
final class ProgressLine: Sendable {
  private let shownAt = Mutex<Double>(-1)

  func show(_ text: String) {
    guard Terminal.isInteractive else { return }
    shownAt.withLock { last in
      let moment = Clock.monotonic()
      guard moment - last >= 0.1 else { return }
      last = moment
      // CSI K: erase to the end of the line.
      Terminal.write("\r\(printableLine(text))\u{1B}[K", to: STDERR_FILENO)
    }
  }

  func end() {
    shownAt.withLock { last in
      if last >= 0 { Terminal.write("\r\u{1B}[K", to: STDERR_FILENO) }
    }
  }
}

/// A number of bytes as people read it.
enum Size {
  static func text(_ bytes: UInt64) -> String {
    var value = Double(bytes)
    var units = ["bytes", "KiB", "MiB", "GiB", "TiB"][...]
    while value >= 1024, units.count > 1 {
      value /= 1024
      units = units.dropFirst()
    }
    let unit = units.first ?? ""
    return unit == "bytes" ? "\(bytes) bytes" : "\(fixed(value, 1)) \(unit)"
  }
}
