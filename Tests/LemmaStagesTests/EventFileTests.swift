import LemmaBasics
import LemmaTestSupport
import Testing

@testable import LemmaStages

@Suite struct EventFileTests {
  /// The check value of the algorithm, and those of RFC 3720.
  @Test func theChecksumHasItsKnownAnswers() {
    #expect(EventFile.crc32c(Array("123456789".utf8)) == 0xE306_9283)
    #expect(EventFile.crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(EventFile.crc32c(Array(0..<32)) == 0x46DD_794E)
    #expect(EventFile.crc32c([]) == 0)
  }

  /// Written out by hand from the formats' pages.
  @Test func aRecordIsFramedAndItsFieldsAreThoseOfAnEvent() {
    var file = EventFile()
    let head = file.bytes
    file.add(step: 300, [("a", 0.5)])
    let record = Array(file.bytes[head.count...])
    let event: [UInt8] = [
      0x09, 0, 0, 0, 0, 0, 0xC0, 0x72, 0x40,  // time: 300.0
      0x10, 0xAC, 0x02,  // step: 300
      0x2A, 0x0A, 0x0A, 0x08, 0x0A, 0x01, 0x61, 0x15, 0, 0, 0, 0x3F,  // summary: a = 0.5
    ]
    #expect(record[..<8] == [UInt8(event.count), 0, 0, 0, 0, 0, 0, 0])
    #expect(Array(record[12..<record.count - 4]) == event)
    #expect(head[12..<head.count - 4].elementsEqual([0x1A, 13] + Array("brain.Event:2".utf8)))
  }
}
