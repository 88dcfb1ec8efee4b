import Dispatch
import LemmaBasics
import LemmaStore
import LemmaTestSupport
import Synchronization
import Testing

@Suite("Opening a store")
struct OpeningTests {
  let space = TestSpace()

  @Test("many may open a new store at one moment")
  func openedTogether() throws {
    for attempt in 1...10 {
      let path = space.file("together-\(attempt)")
      let failures = Mutex<[String]>([])
      let done = DispatchSemaphore(value: 0)
      for _ in 1...8 {
        try Threads.start {
          do { _ = try Store(at: path) } catch { failures.withLock { $0.append("\(error)") } }
          done.signal()
        }
      }
      for _ in 1...8 { done.wait() }
      #expect(failures.withLock { $0 } == [])
    }
  }
}
