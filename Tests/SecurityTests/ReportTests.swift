import Glibc
import LemmaBasics
import LemmaReport
import LemmaTestSupport
import Testing

@Suite("A report runs no script, whatever it is given to show")
struct ReportTests {
  /// Each marks the page when it runs.
  static let mark = "document.documentElement.id='caught'"

  static let payloads: [String] =
    [
      "<script>X</script>", "<SCRIPT>X</SCRIPT>", "<script >X</script >", "<script\n>X</script>",
      "<scr<script>ipt>X</script>",
      "<script src=data:text/javascript,X></script>", "<script type=module>X</script>", "<svg><script>X</script></svg>",
      "<svg><script href=\"data:text/javascript,X\"/></svg>", "<math><mi><script>X</script></mi></math>",
      "<img src=x onerror=X>", "<img src=x onerror=\"X\">", "<IMG SRC=x OnErRoR=X>", "<img/src=x/onerror=X>",
      "<img src=x onerror=X//",
      "<svg onload=X>", "<svg/onload=X>", "<svg><animate onbegin=X attributeName=x dur=1s>",
      "<svg><set onbegin=X attributeName=x>",
      "<svg><use href=\"data:image/svg+xml,<svg id=x onload=X>#x\">",
      "<svg><foreignObject><body onload=X></foreignObject></svg>",
      "<body onload=X>", "<body onpageshow=X>", "<iframe src=\"javascript:X\"></iframe>",
      "<iframe srcdoc=\"<script>parent.X</script>\"></iframe>",
      "<object data=\"javascript:X\"></object>", "<embed src=\"javascript:X\">", "<video><source onerror=X></video>",
      "<video src=x onerror=X></video>", "<audio src=x onerror=X>", "<input autofocus onfocus=X>",
      "<select autofocus onfocus=X>",
      "<textarea autofocus onfocus=X>", "<button autofocus onfocus=X>x</button>",
      "<details open ontoggle=X>x</details>",
      "<marquee onstart=X>x</marquee>", "<style>@import 'javascript:X'</style>", "<style onload=X></style>",
      "<link rel=stylesheet href=x onerror=X>",
      "<meta http-equiv=refresh content=\"0;url=javascript:X\">", "<base href=\"javascript:X//\">",
      "<a href=\"javascript:X\" autofocus>x</a>",
      "<form><button formaction=\"javascript:X\">x</button></form>", "<template><script>X</script></template>",
      "<noscript><p title=\"</noscript><img src=x onerror=X>\">", "\"><script>X</script>", "'><script>X</script>",
      "\" onload=\"X", "' onload='X",
      "\" autofocus onfocus=\"X\" x=\"", "</title><script>X</script>", "</style><script>X</script>",
      "</text></svg><script>X</script>",
      "</td></tr></table><script>X</script>", "</code></dd></dl><script>X</script>", "--><script>X</script>",
      "<!--><script>X</script>",
      "]]><script>X</script>", "<![CDATA[<script>X</script>]]>", "<?xml version=\"1.0\"?><script>X</script>",
      "&lt;script&gt;X&lt;/script&gt;",
      "&#60;script&#62;X&#60;/script&#62;", "\\u003cscript\\u003eX\\u003c/script\\u003e", "%3Cscript%3EX%3C/script%3E",
      "+ADw-script+AD4-X+ADw-/script+AD4-",
      "\u{FF1C}script\u{FF1E}X\u{FF1C}/script\u{FF1E}", "<\u{0}script>X</script>", "<script\u{0}>X</script>",
      "<img src=x onerror\u{B}=X>",
      "<\u{301}script>X</script>", "javascript:X", "data:text/html,<script>X</script>",
      "{{constructor.constructor('X')()}}", "${X}", "`;X;//",
    ].map { $0.replacing("X", with: mark) }

  private static func report(_ texts: [String]) -> Report {
    let first = texts[0]
    let points = texts.enumerated().map { Chart.Point(x: Double($0 + 1), y: 1, low: 0, high: 2, label: $1) }
    return Report(
      title: first, subtitle: texts.joined(separator: " "), facts: texts.map { ($0, $0) },
      charts: texts.map {
        Chart(title: $0, xLabel: $0, yLabel: $0, series: [.init(name: $0, points: [points[0]])], note: $0)
      }
        + [Chart(title: first, xLabel: "x", yLabel: "y", series: [.init(name: first, points: points)])],
      tables: texts.map { text in
        Table(
          caption: text, columns: [.init(text), .init(text, isNumeric: true)],
          rows: [[.init(text, detail: text, isStrong: true), .init(text)]])
      },
      graph: Graph(
        nodes: texts.prefix(40).enumerated().map { .init(id: "\($0)\($1)", title: $1, detail: $1) },
        edges: zip(texts, texts.dropFirst()).prefix(39).enumerated()
          .map { .init(from: "\($0)\($1.0)", to: "\($0 + 1)\($1.1)") }),
      evidence: texts.map { .init(number: $0, items: [.init(role: $0, name: $0, xxh3: $0, sha256: $0, size: 1)]) },
      notes: texts)
  }

  @Test("the page's only markup is its own", arguments: payloads)
  func escaped(payload: String) {
    func tags(_ html: String) -> [Substring] {
      html.split(separator: "<", omittingEmptySubsequences: false).dropFirst()
        .map { $0.prefix { $0 != " " && $0 != ">" && $0 != "\n" } }
    }
    let benign = ReportTests.report(["text"]).html()
    let html = ReportTests.report([payload]).html()
    #expect(tags(html) == tags(benign))
    #expect(html.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\""))
    #expect(rawControls(html) == [])
  }

  static let browser = ["chromium", "chromium-browser", "google-chrome"].first { name in
    (try? Command.run([name, "--version"], in: "/").status) == 0
  }

  /// The document after it was loaded and everything in it had its chance.
  private func load(_ html: String) throws -> String {
    let space = TestSpace()
    try space.write("page.html", html)
    let words = [
      ReportTests.browser ?? "", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
      "--user-data-dir=\(space.file("profile"))",
      "--virtual-time-budget=2000", "--dump-dom", "file://\(space.file("page.html"))",
    ]
    return try Command.run(words, in: space.path).out
  }

  @Test("a browser runs nothing of it", .enabled(if: browser != nil, "no Chromium is here"))
  func inBrowser() throws {
    // The same texts unescaped are caught: the browser is one that would run them.
    let bare = try load(
      "<!doctype html><html><body>\(ReportTests.payloads.map { "<div>\($0)</div>" }.joined())</body></html>")
    #expect(bare.contains("id=\"caught\""), "the control page runs scripts: \(bare.prefix(300))")
    let shown = try load(ReportTests.report(ReportTests.payloads).html())
    #expect(shown.contains("</html>") && shown.contains("<main>"), "\(shown.prefix(300))")
    let root = shown.prefix { $0 != ">" } + (shown.split(separator: "<html").last?.prefix { $0 != ">" } ?? "")
    #expect(!root.contains("caught"), "\(root)")
  }

  @Test("the same through a pipeline: as title, matrix value and the names of results")
  func throughPipeline() throws {
    let project = HostileProject()
    try project.write(
      "metrics.json",
      #"{"accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6, "items": 10, "training_rows": 100}"#)
    let values = ReportTests.payloads.filter { text in
      text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && !",[]$\\\"".utf8.contains($0) }
    }.prefix(25)
    #expect(values.count == 25)
    let list = values.map { "\"\($0)\"" }.joined(separator: ", ")
    try project.write(
      "lemma.yaml",
      """
      pipeline: p
      stages:
        evaluate:
          matrix: { k: [\(list)] }
          run: [sh, -c, 'echo "$3"; cp "$1" "$2"', sh, "${in.m}", "${out.metrics}", "${matrix.k}"]
          in: { m: metrics.json }
          out: { metrics: "results/e/${matrix.k}.json" }
        report:
          uses: report
          in: { results: "${stages.evaluate.metrics}" }
          with: { title: "<script>\(ReportTests.mark)</script>", series: k }

      """)
    let output = try project.lemma(["run"])
    #expect(output.status == 0, "\(output)")
    let html = try project.space.read("results/report/report.html")
    for word in ["<script", "<img", "<iframe", "<object", "onerror=\(ReportTests.mark)>"] {
      #expect(!html.contains(word))
    }
    #expect(html.contains("&lt;script&gt;"))
    guard ReportTests.browser != nil else { return }
    let shown = try load(html)
    #expect(shown.contains("<main>") && !shown.prefix { $0 != ">" }.contains("caught"))
    #expect(!(shown.split(separator: "<html").last ?? "").prefix { $0 != ">" }.contains("caught"))
  }

  /// Numbers of an evaluation that none can have.
  static let numbers: [String] = [
    #""accuracy": 1e308, "accuracy_low": -1e308, "accuracy_high": 1e308, "items": 10"#,
    #""accuracy": 2, "accuracy_low": 0, "accuracy_high": 1, "items": 10"#,
    #""accuracy": -1, "accuracy_low": 0, "accuracy_high": 1, "items": 10"#,
    #""accuracy": 0.5, "accuracy_low": 0, "accuracy_high": 1, "items": 9223372036854775807"#,
    #""accuracy": 0.5, "accuracy_low": 0, "accuracy_high": 1, "items": -9223372036854775808"#,
    #""accuracy": 0.5, "accuracy_low": 0, "accuracy_high": 1, "items": 10, "training_too_long": 9223372036854775807"#,
    #""accuracy": 0.5, "accuracy_low": 0, "accuracy_high": 1, "items": 10, "training_rows": -5"#,
    #""accuracy": 0.5, "accuracy_low": 0, "accuracy_high": 1, "items": 10, "training_rows": 9223372036854775807"#,
    #""accuracy": 0.5, "accuracy_low": 0, "accuracy_high": 1, "items": 10, "training_parameters": -9223372036854775808"#,
    #""accuracy": 0.5, "accuracy_low": 0, "accuracy_high": 1, "items": 1, "steps_1": 0.5, "steps_1_items": 9223372036854775807, "steps_2": 1, "steps_2_items": 9"#,
    #""accuracy": 0.5, "accuracy_low": 0, "accuracy_high": 1, "items": 1, "steps_9223372036854775807": 0.5"#,
    #""accuracy": 0.5, "accuracy_low": 0, "accuracy_high": 1, "items": 1, "steps_-1": 1e308"#, #""accuracy": "high""#,
    #""items": 10"#,
    #""accuracy": 0.5, "accuracy_low": 0.9, "accuracy_high": 0.1, "items": 10, "training_rows": 0"#,
  ]

  @Test("numbers that no evaluation has end in an error or a page, never in a crash", arguments: numbers)
  func hostileNumbers(members: String) throws {
    let project = HostileProject()
    try project.write("a.json", "{\(members)}")
    try project.write("b.json", "{\(members)} ")
    try project.write("lemma.yaml", "pipeline: p\nstages: { r: { uses: report, in: { results: [a.json, b.json] } } }\n")
    let output = try project.lemma(["run"])
    #expect([0, 1].contains(output.status), "\(output)")
    #expect(!output.error.contains("Fatal error"))
    if output.status == 1 { #expect(output.error.contains("a result"), "\(output)") }
  }
}
