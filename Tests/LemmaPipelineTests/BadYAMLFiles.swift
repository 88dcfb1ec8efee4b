/// Bad pipeline files, each with everything that the user is told about it.
extension Bad {
  static let yaml: [Bad] = [
    Bad(
      "not YAML",
      """
      pipeline: p
      stages: { a: [1, 2 }

      """,
      """
      p.yaml:2:20: not valid YAML: did not find expected ',' or ']'
        hint: while parsing a flow sequence that begins in line 2, column 14
      """),
    Bad(
      "a tab as indentation",
      """
      pipeline: p
      stages:
      \u{9}a: 1

      """,
      """
      p.yaml:3:1: not valid YAML: found character that cannot start any token
        hint: YAML is indented with spaces, not tabs
      """),
    Bad(
      "nothing at all",
      """

      """,
      """
      p.yaml:1:1: the file holds no pipeline
      """),
    Bad(
      "only a comment",
      """
      # later

      """,
      """
      p.yaml:1:1: the file holds no pipeline
      """),
    Bad(
      "a list for a file",
      """
      - a
      - b

      """,
      """
      p.yaml:1:1: the pipeline file must be a mapping, not a list
      """),
    Bad(
      "a text for a file",
      """
      hello

      """,
      """
      p.yaml:1:1: the pipeline file must be a mapping, not the text 'hello'
      """),
    Bad(
      "two documents",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: o.txt } }
      ---
      pipeline: q

      """,
      """
      p.yaml:4:1: a second document begins here; a pipeline file is one document
      """),
    Bad(
      "a key twice",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: o.txt }, run: [gcc] }

      """,
      """
      p.yaml:3:40: the key 'run' stands twice; first in line 3
      """),
    Bad(
      "a stage twice",
      """
      pipeline: p
      stages:
        a: { run: [make] }
        b: { run: [make] }
        a: { run: [gcc] }

      """,
      """
      p.yaml:5:3: the key 'a' stands twice; first in line 3
      """),
    Bad(
      "an anchor and its alias",
      """
      pipeline: p
      params: { a: &x 1, b: *x }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: anchors (&name) are not read here
        hint: write the value under params: and use ${params.name}
      p.yaml:2:23: aliases (*name) are not read here
        hint: write the value under params: and use ${params.name}
      """),
    Bad(
      "a tag",
      """
      pipeline: p
      params: { a: !!str 1 }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: the tag '!!str' is not read here; values have the type they look like
      """),
    Bad(
      "a tag of a program",
      """
      pipeline: p
      params: { a: !!python/object/apply:os.system ["id"] }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: the tag '!!python/object/apply:os.system' is not read here; values have the type th\
      ey look like
      """),
    Bad(
      "a merge key",
      """
      pipeline: p
      stages:
        a:
          <<: { run: [make] }
          out: { o: o.txt }

      """,
      """
      p.yaml:4:5: merge keys (<<) are not read here
        hint: write the members out, or use ${params.name}
      """),
    Bad(
      "a list as a key",
      """
      pipeline: p
      params: { ? [a, b] : 1 }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:13: a key must be text, not a list
      """),
    Bad(
      "an escape that makes a NUL",
      """
      pipeline: p
      params: { a: "x\\0y" }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: a control character cannot stand in a value
      """),
    Bad(
      "an alias of nothing",
      """
      pipeline: p
      params: { a: *nothing }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: aliases (*name) are not read here
        hint: write the value under params: and use ${params.name}
      """),
    Bad(
      "a brace that does not close",
      """
      pipeline: p
      params: { s: [1] }
      stages:
        a: { matrix: { k: ${params.s }, run: [make] }

      """,
      """
      p.yaml:5:1: not valid YAML: did not find expected ',' or '}'
        hint: while parsing a flow mapping that begins in line 4, column 6
      """),
    Bad(
      "a reference with a comma",
      """
      pipeline: p
      stages: { a: { run: [make, ${params.a, 1}] } }

      """,
      """
      p.yaml:2:29: not valid YAML: did not find expected ',' or ']'
        hint: while parsing a flow sequence that begins in line 2, column 21
      """),
    Bad(
      "a null byte",
      """
      pipeline: p
      params: { a: "x\u{0}" }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:16: the control character U+0000 cannot stand in a pipeline file
      """),
    Bad(
      "an escape character",
      """
      pipeline: p
      # \u{1b}[31m
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:3: the control character U+001B cannot stand in a pipeline file
      """),
    Bad(
      "a direction override",
      """
      pipeline: p
      params: { a: "\u{202e}" }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:15: the invisible character U+202E cannot stand in a pipeline file
      """),
    Bad(
      "a line separator",
      """
      pipeline: p
      params: { a: "é\u{2028}" }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:17: the invisible character U+2028 cannot stand in a pipeline file
      """),
    Bad(
      "a private-use character",
      """
      pipeline: p
      params: { a: "\u{e001}" }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:15: the private-use character U+E001 cannot stand in a pipeline file
      """),
    Bad(
      "an old Macintosh's line ends",
      """
      pipeline: p\u{d}stages: {}\u{d}
      """,
      """
      p.yaml:1:12: a carriage return without a line feed cannot stand in a pipeline file
      """),
  ]

  static let scalars: [Bad] = [
    Bad(
      "no",
      """
      pipeline: p
      params: { a: no }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about 'no' without quotes
        hint: write false, or "no" in quotes
      """),
    Bad(
      "Yes",
      """
      pipeline: p
      params: { a: Yes }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about 'Yes' without quotes
        hint: write true, or "Yes" in quotes
      """),
    Bad(
      "ON",
      """
      pipeline: p
      params: { a: ON }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about 'ON' without quotes
        hint: write true, or "ON" in quotes
      """),
    Bad(
      "off",
      """
      pipeline: p
      params: { a: off }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about 'off' without quotes
        hint: write false, or "off" in quotes
      """),
    Bad(
      "y",
      """
      pipeline: p
      params: { a: y }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about 'y' without quotes
        hint: write true, or "y" in quotes
      """),
    Bad(
      "N",
      """
      pipeline: p
      params: { a: N }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about 'N' without quotes
        hint: write false, or "N" in quotes
      """),
    Bad(
      "True",
      """
      pipeline: p
      params: { a: True }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about 'True' without quotes
        hint: write true, or "True" in quotes
      """),
    Bad(
      "FALSE",
      """
      pipeline: p
      params: { a: FALSE }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about 'FALSE' without quotes
        hint: write false, or "FALSE" in quotes
      """),
    Bad(
      "NULL",
      """
      pipeline: p
      params: { a: NULL }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about 'NULL' without quotes
        hint: write null, or "NULL" in quotes
      """),
    Bad(
      "1:30",
      """
      pipeline: p
      params: { a: 1:30 }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about '1:30' without quotes
        hint: YAML 1.1 reads it in base 60: write "1:30" in quotes, or the number in decimal
      """),
    Bad(
      "017",
      """
      pipeline: p
      params: { a: 017 }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about '017' without quotes
        hint: a number does not begin with 0: write it without, or "017" in quotes
      """),
    Bad(
      "0o17",
      """
      pipeline: p
      params: { a: 0o17 }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about '0o17' without quotes
        hint: write the number in decimal, or "0o17" in quotes
      """),
    Bad(
      "0x1F",
      """
      pipeline: p
      params: { a: 0x1F }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about '0x1F' without quotes
        hint: write the number in decimal, or "0x1F" in quotes
      """),
    Bad(
      "1_000",
      """
      pipeline: p
      params: { a: 1_000 }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about '1_000' without quotes
        hint: write the number without _, or "1_000" in quotes
      """),
    Bad(
      ".5",
      """
      pipeline: p
      params: { a: .5 }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about '.5' without quotes
        hint: write digits on both sides of the point and no leading zero, or ".5" in quotes
      """),
    Bad(
      "5.",
      """
      pipeline: p
      params: { a: 5. }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about '5.' without quotes
        hint: write digits on both sides of the point and no leading zero, or "5." in quotes
      """),
    Bad(
      "-.5",
      """
      pipeline: p
      params: { a: -.5 }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about '-.5' without quotes
        hint: write digits on both sides of the point and no leading zero, or "-.5" in quotes
      """),
    Bad(
      "+012",
      """
      pipeline: p
      params: { a: +012 }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about '+012' without quotes
        hint: a number does not begin with 0: write it without, or "+012" in quotes
      """),
    Bad(
      ".inf",
      """
      pipeline: p
      params: { a: .inf }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: '.inf' is not a finite number
        hint: write it in quotes, if it is text
      """),
    Bad(
      "-.Inf",
      """
      pipeline: p
      params: { a: -.Inf }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: '-.Inf' is not a finite number
        hint: write it in quotes, if it is text
      """),
    Bad(
      ".NaN",
      """
      pipeline: p
      params: { a: .NaN }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: '.NaN' is not a finite number
        hint: write it in quotes, if it is text
      """),
    Bad(
      "1e999",
      """
      pipeline: p
      params: { a: 1e999 }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: '1e999' is beyond the numbers that a double holds
        hint: write it in quotes, if it is text
      """),
    Bad(
      "190:20:30.15",
      """
      pipeline: p
      params: { a: 190:20:30.15 }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:14: YAML readers disagree about '190:20:30.15' without quotes
        hint: YAML 1.1 reads it in base 60: write "190:20:30.15" in quotes, or the number in decimal
      """),
    Bad(
      "no as a word of a command",
      """
      pipeline: p
      stages:
        a: { run: [test, no], out: { o: o.txt } }

      """,
      """
      p.yaml:3:20: YAML readers disagree about 'no' without quotes
        hint: write false, or "no" in quotes
      """),
  ]
}
