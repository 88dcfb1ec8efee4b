import LemmaCorpus
import LemmaTestSupport
import Testing

@Suite("Exact numbers")
struct RationalTests {
  @Test("are kept in lowest terms, with the sign above")
  func lowestTerms() throws {
    let half = try #require(Rational(-3, over: 6))
    #expect((half.numerator, half.denominator) == (-1, 2))
    #expect(Rational(3, over: -6) == half)
    #expect(Rational(0, over: -7) == .zero)
  }

  @Test("obey the laws of arithmetic, for random fractions", arguments: 0..<20 as Range<UInt64>)
  func laws(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    func fraction() throws -> Rational {
      try #require(
        Rational(
          Int128(Int.random(in: -999...999, using: &random)), over: Int128(Int.random(in: 1...99, using: &random))))
    }
    let (a, b, c) = (try fraction(), try fraction(), try fraction())
    let sum = try #require(a.adding(b))
    #expect(sum.subtracting(b) == a)
    #expect(sum.multiplied(by: c) == a.multiplied(by: c)?.adding(try #require(b.multiplied(by: c))))
    if c != .zero { #expect(a.divided(by: c)?.multiplied(by: c) == a) }
    #expect((a < b) == (try #require(a.subtracting(b))).isNegative)
  }

  @Test("are absent rather than wrong when they leave 64 bits or divide by zero")
  func overflow() throws {
    let most = try #require(Rational(Int128(Int64.max)))
    #expect(most.adding(Rational(1)) == nil)
    #expect(most.multiplied(by: Rational(2)) == nil)
    #expect(most.negated.subtracting(Rational(1)) == nil)
    #expect(most.divided(by: most) == Rational(1))
    #expect(Rational(1).divided(by: .zero) == nil)
    #expect(Rational(1, over: 0) == nil)
    #expect(Rational(Int128.min) == nil)
  }

  @Test(
    "print decimals that end, and fractions that do not",
    arguments: [
      (36, 1, "36"), (5, 2, "2.5"), (-1, 8, "-0.125"), (1, 3, "1/3"), (-22, 7, "-22/7"), (1, 100, "0.01"), (0, 5, "0"),
    ])
  func printing(numerator: Int, denominator: Int, text: String) throws {
    #expect(try #require(Rational(Int128(numerator), over: Int128(denominator))).description == text)
  }
}

@Suite("Numbers in text")
struct NumberTextTests {
  @Test(
    "are read as far as they are well formed",
    arguments: [
      ("36", "36", 2), ("1,234,567", "1234567", 9), ("36.", "36", 2), (".5", "0.5", 2), ("3.50 left", "3.5", 4),
      ("1,23", "1", 1), ("1,2345", "1", 1), ("12,34,567", "12", 2), ("0.125%", "0.125", 5), ("1.2.3", "1.2", 3),
    ])
  func prefixes(text: String, value: String, length: Int) throws {
    let found = try #require(NumberText.prefix(of: text.utf8))
    #expect(found.number.value.description == value)
    #expect(found.length == length)
  }

  @Test(
    "are none where no number begins or none fits",
    arguments: ["", "x", ",5", ".", "-3", "123456789012345678901234567890123456789"])
  func nothing(text: String) { #expect(NumberText.prefix(of: text.utf8) == nil) }

  @Test("keep their style with another value")
  func style() throws {
    var price = try #require(NumberText("1,200.50"))
    price.value = Rational(31_415)
    #expect(price.text == "31,415.00")
    var plain = try #require(NumberText("48"))
    plain.value = try #require(Rational(5, over: 4))
    #expect(plain.text == "1.25")
    plain.value = try #require(Rational(1, over: 3))
    #expect(plain.text == "1/3")
  }
}

@Suite("Random streams")
struct RandomStreamTests {
  @Test("give the same numbers for ever")
  func pinned() {
    var stream = RandomStream(seed: 7, key: 1, 2)
    #expect((0..<4).map { _ in stream.below(1000) } == [91, 660, 800, 213])
  }

  @Test("of different keys have nothing in common")
  func independent() {
    let firsts = Set(
      (0..<1000 as Range<UInt64>).map { index -> UInt64 in
        var stream = RandomStream(seed: 1, key: index)
        return stream.next()
      })
    #expect(firsts.count == 1000)
    var ab = RandomStream(seed: 1, key: 1, 2)
    var ba = RandomStream(seed: 1, key: 2, 1)
    #expect(ab.next() != ba.next())
  }

  @Test("choose every possibility about equally often")
  func uniform() {
    var stream = RandomStream(seed: 3, id: "row")
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<7000 { counts[stream.below(7)] += 1 }
    // Six standard deviations around 1000.
    #expect(counts.allSatisfy { (824...1176).contains($0) }, "\(counts)")
  }

  @Test("choose by weight, and never what weighs nothing")
  func weighted() {
    var stream = RandomStream(seed: 3, id: "row")
    var counts = [0, 0, 0]
    for _ in 0..<4000 { counts[stream.weighted([3, 0, 1]) ?? 1] += 1 }
    #expect(counts[1] == 0)
    #expect((2836...3164).contains(counts[0]), "\(counts)")
    #expect(stream.weighted([0, 0]) == nil)
  }

  @Test("shuffle without losing anything")
  func shuffled() {
    var stream = RandomStream(seed: 9, key: 0)
    let shuffled = stream.shuffled(Array(0..<100))
    #expect(shuffled != Array(0..<100))
    #expect(shuffled.sorted() == Array(0..<100))
  }
}
