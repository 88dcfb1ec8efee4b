import CCrypto
import CXXHash
import Dispatch
import LemmaBasics
import Synchronization

/// Hashes one long stream on two threads: SHA-256, the slowest, on a thread of its own; XXH3-128 and the
/// fingerprint on the caller's, between its reads and writes. Used by one caller.
///
/// The caller fills `nextBlock()` and gives it back by `take`, until a block is not full; then `finish`.
public final class StreamHasher {
  /// Blocks that may be on their way to the other thread.
  private static let depth = 8

  private let lane: SealLane
  private let digestState: OpaquePointer
  private let tagger: BlockTagger
  private var tags: [UInt8] = []
  private var size: UInt64 = 0
  private var number = 0
  private var isFinished = false

  /// - Throws: `Failure` when the system grants no thread.
  public init(key: FingerprintKey) throws {
    lane = SealLane(depth: StreamHasher.depth)
    guard let digestState = XXH3_createState(), XXH3_128bits_reset(digestState) == XXH_OK else {
      fatalError("out of memory")
    }
    self.digestState = digestState
    tagger = BlockTagger(key)
    let lane = lane
    try Threads.start { lane.run() }
  }

  deinit {
    if !isFinished { lane.submit(nil) }
    XXH3_freeState(digestState)
  }

  /// A block of `Fingerprint.blockSize` bytes to fill; waits for one to be free.
  public func nextBlock() -> UnsafeMutableRawBufferPointer {
    lane.waitForFreeBlock()
    return lane.blocks[number % StreamHasher.depth]
  }

  /// Hashes the first `count` bytes of the block that `nextBlock` gave out last. All blocks but the
  /// last are full.
  public func take(_ count: Int) {
    let block = UnsafeRawBufferPointer(rebasing: lane.blocks[number % StreamHasher.depth][..<count])
    lane.submit(count)
    XXH3_128bits_update(digestState, block.baseAddress, count)
    tags += tagger.tag(block)
    size += UInt64(count)
    number += 1
  }

  /// The names of everything taken. The stream ends here.
  public func finish() -> (identity: Identity, fingerprint: Fingerprint) {
    isFinished = true
    lane.submit(nil)
    let hash = XXH3_128bits_digest(digestState)
    let identity = Identity(
      digest: Digest(high: hash.high64, low: hash.low64, size: size), seal: lane.waitForSeal())
    return (identity, Fingerprint(tags: tags, size: size))
  }
}

/// The other thread: takes blocks in order, frees them, and leaves a seal.
private final class SealLane: @unchecked Sendable {
  // Written before the thread starts; a block is written by the caller only while it is free, and the
  // semaphores order the two: hence @unchecked.
  let blocks: [UnsafeMutableRawBufferPointer]
  private let free: DispatchSemaphore
  private let filled = DispatchSemaphore(value: 0)
  private let done = DispatchSemaphore(value: 0)
  // Bytes of the blocks to come, `nil` for the end.
  private let queue = Mutex<[Int?]>([])
  private let seal = Mutex<Seal?>(nil)

  init(depth: Int) {
    blocks = (0..<depth).map { _ in .allocate(byteCount: Fingerprint.blockSize, alignment: 4096) }
    // Dispatch wants a semaphore to end with no less than it began with.
    free = DispatchSemaphore(value: 0)
    for _ in 0..<depth { free.signal() }
  }

  deinit { for block in blocks { block.deallocate() } }

  func waitForFreeBlock() { free.wait() }

  func submit(_ count: Int?) {
    queue.withLock { $0.append(count) }
    filled.signal()
  }

  func waitForSeal() -> Seal {
    done.wait()
    guard let seal = seal.withLock({ $0 }) else { fatalError("the thread ended without a seal") }
    return seal
  }

  func run() {
    let hasher = SealHasher()
    var number = 0
    while true {
      filled.wait()
      guard let count = queue.withLock({ $0.removeFirst() }) else { break }
      hasher.update(UnsafeRawBufferPointer(rebasing: blocks[number % blocks.count][..<count]))
      number += 1
      free.signal()
    }
    let result = hasher.finish()
    seal.withLock { $0 = result }
    done.signal()
  }
}
