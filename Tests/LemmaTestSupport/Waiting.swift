import Glibc
import LemmaBasics

/// Waits until something has come about.
/// - Parameters:
///   - pause: microseconds between two looks.
/// - Throws: when it has not come about in `seconds`, naming it.
public func wait(
  for what: String, seconds: Int = 120, pause: UInt32 = 10_000, until hasComeAbout: () throws -> Bool
) throws {
  let end = ContinuousClock.now + .seconds(seconds)
  while try !hasComeAbout() {
    guard ContinuousClock.now < end else {
      throw Failure(.internal, "test-waited", "waited \(seconds) seconds for \(what), in vain")
    }
    usleep(pause)
  }
}
