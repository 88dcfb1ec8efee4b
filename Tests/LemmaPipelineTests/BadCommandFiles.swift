/// Bad pipeline files, each with everything that the user is told about it.
extension Bad {
  static let commands: [Bad] = [
    Bad(
      "an empty command",
      """
      pipeline: p
      stages:
        a: { run: [] }

      """,
      """
      p.yaml:3:13: 'run' is empty
      """),
    Bad(
      "an empty script",
      """
      pipeline: p
      stages:
        a: { run: "  " }

      """,
      """
      p.yaml:3:13: 'run' is empty
      """),
    Bad(
      "a command that is a mapping",
      """
      pipeline: p
      stages:
        a: { run: { cmd: make } }

      """,
      """
      p.yaml:3:13: 'run' must be a list of words or a script, not a mapping
      """),
    Bad(
      "a command that is a number",
      """
      pipeline: p
      stages:
        a: { run: 5 }

      """,
      """
      p.yaml:3:13: 'run' must be a list of words or a script, not the integer 5
      """),
    Bad(
      "a first word that is empty",
      """
      pipeline: p
      stages:
        a: { run: ["", x] }

      """,
      """
      p.yaml:3:14: the first word of 'run' names no program
      """),
    Bad(
      "a word that is null",
      """
      pipeline: p
      stages:
        a: { run: [make, null] }

      """,
      """
      p.yaml:3:20: a word of 'run' must be a text, not nothing
      """),
    Bad(
      "a word that is a list",
      """
      pipeline: p
      stages:
        a: { run: [make, [x]] }

      """,
      """
      p.yaml:3:20: a word of 'run' must be a text, not a list
      """),
    Bad(
      "a variable with a dash",
      """
      pipeline: p
      stages:
        a: { run: [make], env: { MY-VAR: x } }

      """,
      """
      p.yaml:3:28: 'MY-VAR' cannot name an environment variable
        hint: names begin with a letter or _ and go on with letters, digits and _
      """),
    Bad(
      "a variable without a value",
      """
      pipeline: p
      stages:
        a: { run: [make], env: { VAR: } }

      """,
      """
      p.yaml:3:33: the environment variable 'VAR' must be a text, not nothing
      """),
    Bad(
      "a secret without a name",
      """
      pipeline: p
      stages:
        a: { run: [make], env: { KEY: "env:" } }

      """,
      """
      p.yaml:3:33: 'env:' names no environment variable
        hint: write env:NAME to pass on the variable NAME without writing its value down
      """),
    Bad(
      "tools as a text",
      """
      pipeline: p
      stages:
        a: { run: [make], tools: make }

      """,
      """
      p.yaml:3:28: 'tools' must be a list of program names, not the text 'make'
      """),
    Bad(
      "a tool twice",
      """
      pipeline: p
      stages:
        a: { run: [make], tools: [make, make] }

      """,
      """
      p.yaml:3:35: the tool 'make' stands twice
      """),
    Bad(
      "no processors",
      """
      pipeline: p
      stages:
        a: { run: [make], resources: { cpus: 0 } }

      """,
      """
      p.yaml:3:40: 'cpus' must be an integer from 1 to 4096, not the integer 0
      """),
    Bad(
      "half a processor",
      """
      pipeline: p
      stages:
        a: { run: [make], resources: { cpus: 0.5 } }

      """,
      """
      p.yaml:3:40: 'cpus' must be an integer from 1 to 4096, not the number 0.5
      """),
    Bad(
      "memory in words",
      """
      pipeline: p
      stages:
        a: { run: [make], resources: { memory: plenty } }

      """,
      """
      p.yaml:3:42: 'memory' must be a size such as 512M or 4G, not the text 'plenty'
        hint: K, M, G and T are powers of 1024
      """),
    Bad(
      "memory beyond counting",
      """
      pipeline: p
      stages:
        a: { run: [make], resources: { memory: 99999999999999T } }

      """,
      """
      p.yaml:3:42: 'memory' must be a size such as 512M or 4G, not the text '99999999999999T'
        hint: K, M, G and T are powers of 1024
      """),
    Bad(
      "an unknown resource",
      """
      pipeline: p
      stages:
        a: { run: [make], resources: { gpu: 1 } }

      """,
      """
      p.yaml:3:34: unknown key 'gpu' in 'resources'
        hint: keys: cpus, memory
      """),
  ]

  static let several: [Bad] = [
    Bad(
      "every mistake is told, in the order of the file",
      """
      pipline: p
      params: { a: no }
      sources:
        s: { path: /abs/../x }
      stages:
        a: { uses: sftt, in: { rows: ${sources.s} } }
        b: { run: [make, "${params.a}", "${params.b}"] }
        c: { uses: sft, in: { rows: ${stages.a.rows} }, with: { take: x } }

      """,
      """
      p.yaml:1:1: unknown key 'pipline' in the pipeline file
        hint: did you mean 'pipeline'?
      p.yaml:2:14: YAML readers disagree about 'no' without quotes
        hint: write false, or "no" in quotes
      p.yaml:4:14: '/abs/../x' leads upward with '..'
        hint: write it relative to the project's folder
      p.yaml:6:14: there is no stage kind 'sftt'
        hint: did you mean 'sft'?
      p.yaml:7:35: there is no parameter 'b'
        hint: did you mean 'a'?
      p.yaml:8:65: 'take' must be an integer of at least 1, not the text 'x'
      """),
    Bad(
      "columns count bytes",
      """
      pipeline: p
      params: { "é": 1, ü: 2 }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:11: 'é' cannot name a parameter
        hint: names begin with a letter or _, go on with letters, digits, _ and -, and have at most 12\
      8 characters
      p.yaml:2:20: 'ü' cannot name a parameter
        hint: names begin with a letter or _, go on with letters, digits, _ and -, and have at most 12\
      8 characters
      """),
  ]
}
