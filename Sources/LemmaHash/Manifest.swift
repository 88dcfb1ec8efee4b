import LemmaBasics

/// The stored form of a tree, version 1 (`docs/formats.md`): a header line, then one record an entry.
///
///     lemma tree 1 NEWLINE
///     f XXH3 SIZE SHA256 PATH NUL        a file; `x` when it is executable
///     d PATH NUL                         a folder
///     l PATH NUL TARGET NUL              a symbolic link
private let header = Array("lemma tree 1\n".utf8)

private let space = UInt8(ascii: " ")

/// Writes a manifest record by record, in the order in which it is called.
public struct ManifestWriter {
  public private(set) var bytes: [UInt8]

  /// - Parameter count: how many records there will be, about.
  public init(expecting count: Int) {
    bytes = header
    bytes.reserveCapacity(header.count + 140 * count)
  }

  /// - Parameters:
  ///   - prefix: the folder of the path with its slash, or nothing.
  ///   - name: the rest of the path.
  public mutating func file(
    _ identity: Identity, isExecutable: Bool, prefix: [UInt8], name: UnsafeRawBufferPointer
  ) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 128) { record in
      guard let base = record.baseAddress else { return }
      base[0] = isExecutable ? UInt8(ascii: "x") : UInt8(ascii: "f")
      base[1] = space
      writeHexadecimal(identity.digest.high, to: base + 2)
      writeHexadecimal(identity.digest.low, to: base + 18)
      base[34] = space
      var at = 35 + writeDecimal(identity.size, to: base + 35)
      base[at] = space
      let seal = identity.seal
      writeHexadecimal(seal.first, to: base + at + 1)
      writeHexadecimal(seal.second, to: base + at + 17)
      writeHexadecimal(seal.third, to: base + at + 33)
      writeHexadecimal(seal.fourth, to: base + at + 49)
      base[at + 65] = space
      at += 66
      bytes.append(contentsOf: UnsafeBufferPointer(start: base, count: at))
    }
    path(prefix, name)
  }

  public mutating func folder(prefix: [UInt8], name: UnsafeRawBufferPointer) {
    bytes.append(UInt8(ascii: "d"))
    bytes.append(space)
    path(prefix, name)
  }

  public mutating func link(target: UnsafeRawBufferPointer, prefix: [UInt8], name: UnsafeRawBufferPointer) {
    bytes.append(UInt8(ascii: "l"))
    bytes.append(space)
    path(prefix, name)
    bytes.append(contentsOf: target)
    bytes.append(0)
  }

  private mutating func path(_ prefix: [UInt8], _ name: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: prefix)
    bytes.append(contentsOf: name)
    bytes.append(0)
  }
}

/// Writes the decimal digits of `number`, at most 20, and returns how many.
private func writeDecimal(_ number: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
  var count = 1
  var rest = number
  while rest >= 10 {
    rest /= 10
    count += 1
  }
  rest = number
  for place in stride(from: count - 1, through: 0, by: -1) {
    target[place] = 48 + UInt8(rest % 10)
    rest /= 10
  }
  return count
}

/// Reads a manifest record by record, hostile until proven otherwise.
public enum ManifestReader {
  public enum Node {
    case file(Identity, isExecutable: Bool)
    case folder
    case link(target: UnsafeBufferPointer<UInt8>)
  }

  /// Hands every record to `each` as it is proven to be in its sorted place inside the folder.
  /// - Throws: `Failure` when the bytes are not a manifest, or what `each` throws.
  public static func read(
    _ bytes: [UInt8], each: (_ path: UnsafeBufferPointer<UInt8>, _ node: Node) throws -> Void
  ) throws {
    guard bytes.starts(with: header) else { throw malformed("it does not begin with 'lemma tree 1'") }
    try bytes.withUnsafeBufferPointer { buffer in
      var checker = TreeChecker()
      var number = 0
      var at = header.count
      func text() throws -> UnsafeBufferPointer<UInt8> {
        var end = at
        while end < buffer.count, buffer[end] != 0 { end += 1 }
        guard end < buffer.count else { throw malformed("its last record is cut off") }
        defer { at = end + 1 }
        return UnsafeBufferPointer(rebasing: buffer[at..<end])
      }
      while at < buffer.count {
        number += 1
        let record = try text()
        guard record.count > 2, record[1] == space else { throw malformed("record \(number) is too short") }
        let body = UnsafeBufferPointer(rebasing: record[2...])
        switch record[0] {
        case UInt8(ascii: "d"):
          try checker.check(body, isFolder: true)
          try each(body, .folder)
        case UInt8(ascii: "l"):
          let target = try text()
          try checker.check(body, isFolder: false)
          try each(body, .link(target: target))
        case UInt8(ascii: "f"), UInt8(ascii: "x"):
          guard let (identity, path) = parseFile(body) else { throw malformed("record \(number) is not a file's") }
          try checker.check(path, isFolder: false)
          try each(path, .file(identity, isExecutable: record[0] == UInt8(ascii: "x")))
        default: throw malformed("record \(number) is of an unknown type")
        }
      }
    }
  }

  /// `XXH3 SIZE SHA256 PATH`, the size without leading zeros.
  private static func parseFile(_ body: UnsafeBufferPointer<UInt8>) -> (Identity, UnsafeBufferPointer<UInt8>)? {
    guard let base = body.baseAddress, body.count > 32, body[32] == space, let high = readHexadecimal(base),
      let low = readHexadecimal(base + 16)
    else { return nil }
    var at = 33
    var size: UInt64 = 0
    while at < body.count, body[at] != space {
      let digit = body[at] &- 48
      let (product, isLarge) = size.multipliedReportingOverflow(by: 10)
      let (sum, isLarger) = product.addingReportingOverflow(UInt64(digit))
      guard digit < 10, !isLarge, !isLarger, !(at > 33 && size == 0) else { return nil }
      size = sum
      at += 1
    }
    guard at > 33, at + 66 < body.count, body[at + 65] == space, let first = readHexadecimal(base + at + 1),
      let second = readHexadecimal(base + at + 17), let third = readHexadecimal(base + at + 33),
      let fourth = readHexadecimal(base + at + 49)
    else { return nil }
    let identity = Identity(
      digest: Digest(high: high, low: low, size: size), seal: Seal(first, second, third, fourth))
    return (identity, UnsafeBufferPointer(rebasing: body[(at + 66)...]))
  }

  private static func malformed(_ reason: String) -> Failure {
    Failure(.store, "tree", "not a tree manifest: \(reason)")
  }
}
