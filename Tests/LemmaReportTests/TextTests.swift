import LemmaReport
import Testing

@Suite("The terminal's tables and charts")
struct TextTests {
  @Test("columns are aligned, numbers to the right, by the width that a terminal gives characters")
  func table() {
    let table = Table(
      caption: "Results",
      columns: [Table.Column("method"), Table.Column("n", isNumeric: true), Table.Column("accuracy", isNumeric: true)],
      rows: [
        ["mixed", "500", Table.Cell("0.41", detail: "±0.03")], ["数学", "8000", "0.5"], ["e\u{301}té"], [],
      ])
    #expect(
      table.text() == """
        Results

        method     n    accuracy
        ──────  ────  ──────────
        mixed    500  0.41 ±0.03
        数学    8000         0.5
        e\u{301}té


        """)
  }

  @Test("a cell cannot break the table or drive the terminal")
  func hostileCells() {
    let table = Table(
      caption: "", columns: [Table.Column("a"), Table.Column("b")],
      rows: [["x\ny\u{1B}[31m", "1"], [Table.Cell(String(repeating: "z", count: 100)), "2"]])
    #expect(
      table.text(columnLimit: 16) == """
        a                 b
        ────────────────  ─
        x y\\u{1b}[31m     1
        zzzzzzzzzzzzzzz…  2

        """)
  }

  @Test("a chart is drawn in characters")
  func chart() {
    let a = Chart.Series(
      name: "mixed",
      points: [
        Chart.Point(x: 500, y: 0.1, low: 0.05, high: 0.2), Chart.Point(x: 2000, y: 0.3), Chart.Point(x: 8000, y: 0.4),
      ])
    let b = Chart.Series(name: "seeds", points: [Chart.Point(x: 500, y: 0.4), Chart.Point(x: 8000, y: 0.1)])
    let chart = Chart(title: "Accuracy", xLabel: "rows", yLabel: "accuracy", xScale: .log, series: [a, b])
    #expect(
      chart.text(width: 32, height: 9) == """
        Accuracy
        accuracy
        0.4 ┤  ■                          ●
            │
        0.3 ┤                ●
            │
        0.2 ┤  │
            │  │
        0.1 ┤  ●                          ■
            │  │
          0 ┤
            └──┴─────────────┴────────────┴──
              500          2000         8000
             rows
             ● mixed   ■ seeds

        """)
  }

  @Test("a chart without points is an empty frame")
  func emptyChart() {
    let text = Chart(title: "", xLabel: "", yLabel: "", series: []).text(width: 16, height: 4)
    #expect(text.split(separator: "\n").count == 6)
    #expect(!text.contains("●"))
  }
}
