import Glibc
import LemmaBasics
import LemmaModel

/// The greatest resident memory of this process so far, in MiB, as the kernel counts it.
func peakMemory() throws -> Double {
  var bytes = [UInt8](repeating: 0, count: 16_384)
  let file = open("/proc/self/status", O_RDONLY)
  defer { close(file) }
  let count = max(0, read(file, &bytes, bytes.count))
  for line in String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n") where line.hasPrefix("VmHWM:") {
    if let kibibytes = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Double($0) }) {
      return kibibytes / 1024
    }
  }
  throw Failure(.store, "memory", "/proc/self/status does not tell VmHWM")
}

func precision(_ word: String) throws -> Precision {
  guard let precision = Precision(rawValue: word) else {
    throw Failure(.user, "usage", "the precision is float32 or bfloat16, not '\(word)'")
  }
  return precision
}

func number(_ word: some StringProtocol) throws -> Int {
  guard let number = Int(word), number >= 1 else {
    throw Failure(.user, "usage", "'\(word)' is not a number from 1 on")
  }
  return number
}
