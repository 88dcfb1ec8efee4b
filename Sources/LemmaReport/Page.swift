import LemmaBasics

extension Report {
  /// One HTML file that needs nothing else: no scripts, no other files, nothing from a network. The
  /// same report makes the same bytes.
  public func html() -> String {
    var page = Markup()
    page.line("<!doctype html>")
    page.line("<html lang=\"en\">")
    page.line("<head>")
    page.line("<meta charset=\"utf-8\">")
    page.line(
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">")
    page.line("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
    page.line("<meta name=\"referrer\" content=\"no-referrer\">")
    page.element("title", "", title)
    page.line("\n<style>\n\(Style.sheet)\n</style>")
    page.line("</head>\n<body>\n<main>")
    head(&page)
    section("Results", !charts.isEmpty || !tables.isEmpty, &page) { page in
      for (index, chart) in charts.enumerated() { page.raw(chart.figure(id: "chart-\(index + 1)")) }
      for table in tables { page.raw(table.html()) }
    }
    section("What was made from what", !graph.nodes.isEmpty, &page) { $0.raw(graph.figure()) }
    section("Evidence", !evidence.isEmpty, &page) { page in
      for item in evidence { page.raw(item.html()) }
    }
    section("Notes", !notes.isEmpty, &page) { page in
      page.line("<ul class=\"notes\">")
      for note in notes {
        page.element("li", "", note)
        page.raw("\n")
      }
      page.line("</ul>")
    }
    page.line("</main>\n</body>\n</html>")
    return page.text
  }

  private func head(_ page: inout Markup) {
    page.line("<header>")
    page.element("h1", "", title)
    page.raw("\n")
    if !subtitle.isEmpty {
      page.element("p", "class=\"subtitle\"", subtitle)
      page.raw("\n")
    }
    if !facts.isEmpty {
      page.line("<dl class=\"facts\">")
      for fact in facts {
        page.raw("<div>")
        page.element("dt", "", fact.name)
        page.element("dd", "", fact.value)
        page.line("</div>")
      }
      page.line("</dl>")
    }
    page.line("</header>")
  }

  private func section(_ name: String, _ isShown: Bool, _ page: inout Markup, _ content: (inout Markup) -> Void) {
    guard isShown else { return }
    page.line("<section>\n<h2>\(name)</h2>")
    content(&page)
    page.line("</section>")
  }
}

extension Chart {
  fileprivate func figure(id: String) -> String {
    var figure = Markup()
    figure.raw("<figure class=\"wide\">\n")
    figure.element("h3", "", title)
    figure.raw("\n" + ChartDrawing(self, id: id).svg())
    if !note.isEmpty { figure.element("figcaption", "", note) }
    figure.line("</figure>")
    return figure.text
  }
}

extension Graph {
  fileprivate func figure() -> String {
    guard nodes.count <= GraphDrawing.nodeLimit else {
      return "<p>\(nodes.count) nodes and \(edges.count) edges, too many to draw.</p>\n"
    }
    return "<figure class=\"wide bleed\">\n\(GraphDrawing(self).svg())</figure>\n"
  }
}

extension Table {
  fileprivate func html() -> String {
    var table = Markup()
    table.raw("<div class=\"wide\"><table>\n")
    if !caption.isEmpty {
      table.element("caption", "", caption)
      table.raw("\n")
    }
    table.raw("<thead><tr>")
    for column in columns {
      table.element("th", column.isNumeric ? "scope=\"col\" class=\"number\"" : "scope=\"col\"", column.title)
    }
    table.raw("</tr></thead>\n<tbody>\n")
    for row in rows {
      table.raw("<tr>")
      for (index, column) in columns.enumerated() {
        table.raw(column.isNumeric ? "<td class=\"number\">" : "<td>")
        if index < row.count { table.raw(row[index].html()) }
        table.raw("</td>")
      }
      table.line("</tr>")
    }
    table.line("</tbody>\n</table></div>")
    return table.text
  }
}

extension Table.Cell {
  fileprivate func html() -> String {
    var cell = Markup()
    if isStrong { cell.element("strong", "", text) } else { cell.raw(escaped(text)) }
    if !detail.isEmpty {
      cell.raw(" ")
      cell.element("span", "class=\"quiet\"", detail)
    }
    return cell.text
  }
}

extension Evidence {
  fileprivate func html() -> String {
    var block = Markup()
    block.raw("<details><summary>\(escaped(number))")
    block.element("span", "class=\"quiet\"", items.count == 1 ? "1 artifact" : "\(items.count) artifacts")
    block.line("</summary>\n<div class=\"items\">")
    for item in items {
      block.raw("<div class=\"item\"><p>")
      block.element("span", "class=\"role\"", item.role)
      block.raw(escaped(item.name) + " ")
      block.element("span", "class=\"quiet\"", byteCount(item.size))
      block.raw("</p><dl>")
      for (name, digest) in [("SHA-256", item.sha256), ("XXH3-128", item.xxh3)] {
        block.raw("<dt>\(name)</dt><dd>")
        block.element("code", "", digest)
        block.raw("</dd>")
      }
      block.line("</dl></div>")
    }
    block.line("</div></details>")
    return block.text
  }
}
