import Glibc
import LemmaBasics

/// The `lemma` built beside the tests, or the one that `LEMMA_PROGRAM` names.
public let lemmaProgram: String = {
  if let named = getenv("LEMMA_PROGRAM") { return String(cString: named) }
  var buffer = [CChar](repeating: 0, count: 4096)
  let length = readlink("/proc/self/exe", &buffer, buffer.count)
  let path = String(decoding: buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  return "\(Files.parent(path))/lemma"
}()
