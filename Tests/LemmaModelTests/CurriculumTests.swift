import LemmaTestSupport
import Testing

@testable import LemmaModel

@Suite struct CurriculumTests {
  private func configuration(_ duration: TrainingConfiguration.Duration, seed: UInt64 = 0) -> TrainingConfiguration {
    var configuration = TrainingConfiguration()
    configuration.duration = duration
    (configuration.batchSize, configuration.contextLength, configuration.seed) = (2, 50, seed)
    return configuration
  }

  private func batches(_ lengths: [Int], _ configuration: TrainingConfiguration) -> [[Int]] {
    var curriculum = Curriculum(lengths: lengths, configuration: configuration)
    return (0..<curriculum.steps).map { _ in Array(curriculum.batch()) }
  }

  static let lengths: [Int] = {
    var generator = SeededGenerator(seed: 1)
    return (0..<97).map { _ in Int.random(in: 1...50, using: &generator) }
  }()

  @Test func anEpochTakesEveryExampleOnceAndInAnotherOrder() {
    let one = batches(Self.lengths, configuration(.epochs(1)))
    #expect(one.flatMap { $0 }.sorted() == Array(0..<97))
    let two = batches(Self.lengths, configuration(.epochs(2)))
    #expect(Array(two.prefix(one.count)) == one)
    let second = two.dropFirst(one.count).flatMap { $0 }
    #expect(second.sorted() == Array(0..<97) && second != one.flatMap { $0 })
  }

  @Test func aStepHoldsAsMuchAsFits() {
    let steps = batches(Self.lengths, configuration(.epochs(1)))
    let sizes = steps.map { $0.reduce(0) { $0 + Self.lengths[$1] } }
    #expect(sizes.allSatisfy { $0 <= 100 })
    for (index, size) in sizes.dropLast().enumerated() { #expect(size + Self.lengths[steps[index + 1][0]] > 100) }
  }

  @Test func stepsGoThroughTheExamplesAsOftenAsNeeded() {
    let steps = batches([30, 30, 30], configuration(.steps(5)))
    #expect(steps.map { $0.sorted() } == Array(repeating: [0, 1, 2], count: 5))
  }

  @Test func theOrderIsAFunctionOfTheSeed() {
    let first = batches(Self.lengths, configuration(.epochs(1), seed: 3))
    #expect(first == batches(Self.lengths, configuration(.epochs(1), seed: 3)))
    #expect(first != batches(Self.lengths, configuration(.epochs(1), seed: 4)))
    #expect(first != batches(Self.lengths, configuration(.epochs(1), seed: 3 << 32)))
  }

  @Test func aPermutationIsEvenlySpread() {
    var counts = [Int](repeating: 0, count: 25)
    for epoch in 0..<2000 {
      for (place, item) in Curriculum.permutation(5, seed: 9, epoch: epoch).enumerated() {
        counts[place * 5 + item] += 1
      }
    }
    // 400 expected in each cell, standard deviation 18.
    #expect(counts.allSatisfy { (310...490).contains($0) })
  }
}
