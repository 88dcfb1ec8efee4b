import LemmaReport
import Testing

@Suite("The page: one file that runs nothing and asks for nothing")
struct PageTests {
  @Test("the same report makes the same bytes")
  func determinism() {
    #expect(sample.html() == sample.html())
  }

  @Test("it forbids itself scripts and everything from elsewhere, and has neither")
  func selfContained() throws {
    let html = sample.html()
    #expect(html.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""))
    for word in ["http:", "https:", "url(", "@import", "<script", "<link", "<iframe", "<img", "javascript:"] {
      #expect(!html.contains(word), "\(word)")
    }
    let tags = try #require(startTags(html))
    #expect(!tags.contains { tag in tag.attributes.keys.contains { ["src", "href", "style"].contains($0) } })
  }

  @Test("every element that is opened is closed, in order")
  func balance() throws {
    let void: Set<String> = ["meta", "path", "rect", "circle"]
    var open: [String] = []
    var rest = Substring(sample.html())
    while let start = rest.firstIndex(of: "<") {
      rest = rest[rest.index(after: start)...]
      let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "/" || $0 == "!" }
      if name.hasPrefix("!") || void.contains(String(name.filter { $0 != "/" })) { continue }
      if name.hasPrefix("/") { #expect(open.popLast() == String(name.dropFirst())) } else { open.append(String(name)) }
    }
    #expect(open == [])
  }

  static let payloads = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'><svg onload=alert(1)>", "</style><script>",
    "</title><script>alert(1)</script>", "<!--", "-->", "]]>", "&lt;script&gt;", "&#60;b&#62;", "\" onload=\"x",
    "`${x}`",
    "javascript:alert(1)", "\u{0}<b>", "\u{202E}gpj.exe", "<b\u{301}>", "\u{1B}[31m", "</details></main>", "{{x}}",
    "\u{FF1C}script\u{FF1E}",
  ]

  @Test("a hostile name stays text wherever it stands", arguments: payloads)
  func escaping(payload: String) throws {
    let benign = try #require(startTags(report(named: "name").html()))
    let html = report(named: payload).html()
    let tags = try #require(startTags(html))
    #expect(tags.map(\.name) == benign.map(\.name))
    #expect(tags.map { $0.attributes.keys.sorted() } == benign.map { $0.attributes.keys.sorted() })
    let hostile: Set<UInt32> = [0, 0x1B, 0x202E]
    #expect(!html.unicodeScalars.contains { hostile.contains($0.value) })
  }

  private func report(named name: String) -> Report {
    let point = Chart.Point(x: 1, y: 2, low: 1, high: 3, label: name)
    return Report(
      title: name, subtitle: name, facts: [(name: name, value: name)],
      charts: [
        Chart(
          title: name, xLabel: name, yLabel: name,
          series: [Chart.Series(name: name, points: [point]), Chart.Series(name: name, points: [])], note: name)
      ],
      tables: [
        Table(caption: name, columns: [Table.Column(name)], rows: [[Table.Cell(name, detail: name, isStrong: true)]])
      ],
      graph: Graph(
        nodes: [Graph.Node(id: name, title: name, detail: name), Graph.Node(id: "b", title: name)],
        edges: [Graph.Edge(from: name, to: "b")]),
      evidence: [
        Evidence(
          number: name, items: [Evidence.Item(role: name, name: name, xxh3: name, sha256: name, size: 1)])
      ], notes: [name])
  }

  @Test("an empty report is a page with its title alone")
  func empty() throws {
    let html = Report(title: "Nothing & more").html()
    #expect(html.contains("<h1>Nothing &amp; more</h1>"))
    #expect(!html.contains("<h2>") && !html.contains("<svg"))
  }

  @Test("evidence shows full digests that can be copied whole")
  func evidence() {
    let item = Evidence.Item(role: "model", name: "m", xxh3: "0123", sha256: "89ab", size: 5_000_000)
    let html = Report(title: "t", evidence: [Evidence(number: "accuracy 0.5", items: [item])]).html()
    #expect(
      html.contains(
        """
        <details><summary>accuracy 0.5<span class="quiet">1 artifact</span></summary>
        <div class="items">
        <div class="item"><p><span class="role">model</span>m <span class="quiet">4.8 MiB</span></p>\
        <dl><dt>SHA-256</dt><dd><code>89ab</code></dd><dt>XXH3-128</dt><dd><code>0123</code></dd></dl></div>
        </div></details>
        """))
  }

  @Test("a table's rows are as long as its columns")
  func table() {
    let table = Table(
      caption: "c", columns: [Table.Column("a"), Table.Column("b", isNumeric: true)],
      rows: [["x"], [Table.Cell("y", isStrong: true), Table.Cell("1", detail: "±2"), "z"]])
    #expect(
      Report(title: "t", tables: [table]).html().contains(
        """
        <table>
        <caption>c</caption>
        <thead><tr><th scope="col">a</th><th scope="col" class="number">b</th></tr></thead>
        <tbody>
        <tr><td>x</td><td class="number"></td></tr>
        <tr><td><strong>y</strong></td><td class="number">1 <span class="quiet">±2</span></td></tr>
        </tbody>
        </table>
        """))
  }
}
