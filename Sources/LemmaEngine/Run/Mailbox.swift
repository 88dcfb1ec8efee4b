import Dispatch
import Synchronization

/// Where workers leave what they did for the thread that owns the run.
final class Mailbox: Sendable {
  enum Message: Sendable {
    /// There may be room for another stage.
    case room
    /// A stage's outputs are in the store, not yet flushed, or it failed; its turn is to be ended.
    case captured(Int, Result<Execution.Captured, any Error>, Turn, seconds: Double)
    /// Results that are durable now, or could not be made so.
    case durable([Int], Result<Void, any Error>)
  }

  private let messages = Mutex<[Message]>([])
  private let signal = DispatchSemaphore(value: 0)

  func post(_ message: Message) {
    messages.withLock { $0.append(message) }
    signal.signal()
  }

  /// Waits for at least one message.
  func wait() -> [Message] {
    while true {
      signal.wait()
      let messages = take()
      if !messages.isEmpty { return messages }
    }
  }

  /// The messages that are there.
  func take() -> [Message] {
    messages.withLock { messages in
      defer { messages = [] }
      return messages
    }
  }
}
