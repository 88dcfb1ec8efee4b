import LemmaCorpus
import LemmaSynthesis
import LemmaTestSupport
import Testing

@Suite("A worked solution")
struct ProgramTests {
  @Test(
    "is a program when every note comes out and the last is the answer",
    arguments: [
      ("12 + 15 = <<12+15=27>>27 apples.\n27 / 3 = <<27/3=9>>9 bags.\n#### 9", 2, "9"),
      ("half: <<48*.5=24>>24\n#### 24", 1, "24"), ("<<(4+6)*3-2=28>>\n#### 28.0", 1, "28"),
      ("<<20%*50=10>>10\n#### $10", 1, "10"), ("<<1000*2=2,000>>\n#### 2,000", 1, "2000"),
      ("<<1/3*9=3>>3\n#### 3", 1, "3"), ("<<5-8=-3>>\n#### -3", 1, "-3"), ("<<5.*2=10>>\n#### 10", 1, "10"),
      ("<<10-2-3=5>>\n#### 5", 1, "5"), ("<<16/4/2=2>>\n#### 2", 1, "2"), ("<<-(2+3)*-2=10>>\n#### 10", 1, "10"),
    ])
  func programs(solution: String, steps: Int, answer: String) throws {
    let program = try Program(executing: solution)
    #expect(program.steps.count == steps)
    #expect(program.answer.description == answer)
  }

  @Test(
    "is refused with the reason otherwise",
    arguments: [
      ("<<1+1=2>>2", .noAnswer), ("<<1+1=2>>2\n#### two", .answerNotANumber), ("1+1=2\n#### 2", .noNotes),
      ("<<1+=2>>2\n#### 2", .unparsableNote), ("<<1+1>>2\n#### 2", .unparsableNote),
      ("<<560//10=56>>\n#### 56", .unparsableNote), ("<<(1+1=2>>2\n#### 2", .unparsableNote),
      ("<<10/3=3.33>>\n#### 3.33", .inexactStep), ("<<1/0=1>>\n#### 1", .inexactStep), ("<<1+1=2>>2\n#### 3", .notGold),
      ("<<9223372036854775807*2=1>>\n#### 1", .inexactStep), ("", .noAnswer), ("####", .answerNotANumber),
    ] as [(String, Program.Fault)])
  func faults(solution: String, fault: Program.Fault) {
    #expect(throws: fault) { try Program(executing: solution) }
  }

  @Test("cannot exhaust the reader by its nesting or its length")
  func nesting() {
    let sum = "1" + String(repeating: "+1", count: 100_000)
    #expect(throws: Program.Fault.unparsableNote) { try Program(executing: "<<\(sum)=100001>>\n#### 100001") }
    let notes = String(repeating: "<<1+1=2>>", count: 50_000)
    #expect(throws: Program.Fault.tooLong) { try Program(executing: "\(notes)\n#### 2") }
    #expect(Equations(in: "\(sum) = 5") == Equations(in: ""))
    let deep = String(repeating: "(", count: 10_000)
    #expect(throws: Program.Fault.unparsableNote) { try Program(executing: "<<\(deep)1=1>>\n#### 1") }
    let signs = String(repeating: "-", count: 10_000)
    #expect(throws: Program.Fault.unparsableNote) { try Program(executing: "<<\(signs)1=1>>\n#### 1") }
  }
}

@Suite("Equations in prose")
struct EquationsTests {
  @Test(
    "are computed again wherever they can be read",
    arguments: [
      ("She has 12 + 15 = 27 apples.\n27 / 3 = 9 bags.", 2, 0), ("x = 28 / 7 = 4.", 1, 0), ("3 x $5 = $15, so", 1, 0),
      ("(2 + 3) * 4 = 20", 1, 0), ("20 apples - 5 apples = 15 apples", 0, 0), ("1 hour = 60 minutes", 0, 0),
      ("2 + 2 = 5.", 0, 1), ("1,000 * 2 = 2,000", 1, 0), ("=", 0, 0), ("5 =", 0, 0), ("= 5", 0, 0), ("box 4 = 4", 0, 0),
    ])
  func prose(text: String, holding: Int, failing: Int) {
    let equations = Equations(in: text)
    #expect(equations.holding == holding)
    #expect(equations.failing.count == failing)
  }
}

@Suite("The trace of a program")
struct TraceTests {
  private func trace(_ problem: String, _ solution: String) throws -> Trace {
    Trace(problem: problem, solution: solution, program: try Program(executing: solution))
  }

  @Test(
    "finds each operand in the problem or in an earlier step",
    arguments: [
      ("Ann has 48 clips and half as many pins.", "<<48/2=24>>24\n<<48+24=72>>72\n#### 72"),
      ("A coat of $50 is 20% off.", "<<20/100*50=10>>\n<<50-10=40>>\n#### 40"),
      ("It is 20 percent of 50.", "<<.2*50=10>>\n#### 10"),
      ("Twenty-five boys and three dozen girls.", "<<25+36=61>>\n#### 61"),
      ("She eats 3/4 of 12.", "<<3/4*12=9>>\n#### 9"),
      ("A third of 9 is taken twice.", "<<9/3=3>>\n<<3*2=6>>\n#### 6"), ("He has 2 1/2 hours.", "<<2.5*2=5>>\n#### 5"),
      ("5 pens at 40 cents.", "<<5*.4=2>>\n#### 2"),
    ])
  func complete(problem: String, solution: String) throws {
    #expect(try trace(problem, solution).untraced == nil)
  }

  @Test("names the operand that comes from nowhere")
  func untraced() throws {
    let trace = try trace("Ann works 3 weeks.", "<<3*7=21>>21 days\n#### 21")
    #expect(trace.untraced == Rational(7))
    #expect(!trace.isReinstantiable)
  }

  @Test(
    "lets a number vary only if nothing can be mistaken for it",
    arguments: [
      ("Ann has 12 red and 15 blue pens.", "<<12+15=27>>27\n#### 27", ["12", "15"]),
      // Which 12 is meant?
      ("Ann has 12 red, 12 green and 15 blue pens.", "<<12+15=27>>27\n#### 27", ["15"]),
      // The result is a number of the problem: 6 could be either.
      ("Ann has 12 pens, half of them red. She gets 6 more.", "<<12/2=6>>6\n<<6+12=18>>18\n#### 18", []),
      // Percentages, fractions, ordinals, years and `two` keep their values.
      ("In 2010 he takes 20% of 50 on the 3rd day and two more.", "<<20/100*50=10>>\n<<10+2=12>>\n#### 12", ["50"]),
      // A number that is not used.
      ("Ann, 9, has 12 pens and 15 pins.", "<<12+15=27>>27\n#### 27", ["12", "15"]),
      ("Seven boys and eight girls.", "<<7+8=15>>15\n#### 15", ["7", "8"]),
    ])
  func variables(problem: String, solution: String, values: [String]) throws {
    let trace = try trace(problem, solution)
    #expect(trace.variables.map { trace.mentions[$0].value.description } == values)
  }
}
