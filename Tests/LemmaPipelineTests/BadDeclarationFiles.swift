/// Bad pipeline files, each with everything that the user is told about it.
extension Bad {
  static let keys: [Bad] = [
    Bad(
      "an unknown key",
      """
      pipeline: p
      stges:
        a: { run: [make] }

      """,
      """
      p.yaml:2:1: unknown key 'stges' in the pipeline file
        hint: did you mean 'stages'?
      """),
    Bad(
      "an unknown key unlike any other",
      """
      pipeline: p
      author: me
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:1: unknown key 'author' in the pipeline file
        hint: keys: pipeline, params, sources, stages, sandbox
      """),
    Bad(
      "no name",
      """
      stages:
        a: { run: [make] }

      """,
      """
      p.yaml:1:1: the pipeline file has no 'pipeline'
      """),
    Bad(
      "no stages",
      """
      pipeline: p

      """,
      """
      p.yaml:1:1: the pipeline file has no 'stages'
      """),
    Bad(
      "empty stages",
      """
      pipeline: p
      stages: {}

      """,
      """
      p.yaml:2:9: the pipeline has no stages
      """),
    Bad(
      "stages as a list",
      """
      pipeline: p
      stages:
        - run: [make]

      """,
      """
      p.yaml:3:3: 'stages' must be a mapping, not a list
      """),
    Bad(
      "a stage without content",
      """
      pipeline: p
      stages:
        a:

      """,
      """
      p.yaml:3:5: stage 'a' must be a mapping, not nothing
      """),
    Bad(
      "an unknown key of a stage",
      """
      pipeline: p
      stages:
        a: { runs: [make] }

      """,
      """
      p.yaml:3:8: unknown key 'runs' in stage 'a'
        hint: did you mean 'run'?
      """),
    Bad(
      "needs",
      """
      pipeline: p
      stages:
        a: { run: [make] }
        b: { run: [make], needs: [a] }

      """,
      """
      p.yaml:4:21: 'needs' is not written: a stage needs the stages that its inputs name
        hint: write in: { name: ${stages.other.output} }
      """),
    Bad(
      "neither uses nor run",
      """
      pipeline: p
      stages:
        a: { out: { o: o.txt } }

      """,
      """
      p.yaml:3:3: stage 'a' has neither 'uses' nor 'run'
      """),
    Bad(
      "both uses and run",
      """
      pipeline: p
      stages:
        a: { uses: compare, run: [make] }

      """,
      """
      p.yaml:3:23: stage 'a' has both 'uses' and 'run'
      """),
    Bad(
      "with beside run",
      """
      pipeline: p
      stages:
        a: { run: [make], with: { x: 1 } }

      """,
      """
      p.yaml:3:21: 'with' belongs to stages with 'uses'
        hint: a command takes its configuration as words of 'run'
      """),
    Bad(
      "env beside uses",
      """
      pipeline: p
      stages:
        a: { uses: compare, in: { models: m.bin }, env: { A: b } }

      """,
      """
      p.yaml:3:46: 'env' belongs to stages with 'run'
      """),
    Bad(
      "a name that is a number",
      """
      pipeline: 2024
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:1:11: the name of a pipeline must be a text, not the integer 2024
      """),
    Bad(
      "a name with a space",
      """
      pipeline: my experiment
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:1:11: 'my experiment' cannot name a pipeline
        hint: names begin with a letter or _, go on with letters, digits, _ and -, and have at most 12\
      8 characters
      """),
    Bad(
      "a stage's name with a point",
      """
      pipeline: p
      stages:
        a.b: { run: [make] }

      """,
      """
      p.yaml:3:3: 'a.b' cannot name a stage
        hint: names begin with a letter or _, go on with letters, digits, _ and -, and have at most 12\
      8 characters
      """),
    Bad(
      "a parameter's name that begins with a digit",
      """
      pipeline: p
      params: { 1st: 2 }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:11: '1st' cannot name a parameter
        hint: names begin with a letter or _, go on with letters, digits, _ and -, and have at most 12\
      8 characters
      """),
    Bad(
      "a matrix key with a space",
      """
      pipeline: p
      stages:
        a: { run: [make], matrix: { "a b": [1] } }

      """,
      """
      p.yaml:3:31: 'a b' cannot name a matrix key
        hint: names begin with a letter or _, go on with letters, digits, _ and -, and have at most 12\
      8 characters
      """),
    Bad(
      "an output's name with a slash",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { a/b: o.txt } }

      """,
      """
      p.yaml:3:28: 'a/b' cannot name an output
        hint: names begin with a letter or _, go on with letters, digits, _ and -, and have at most 12\
      8 characters
      """),
    Bad(
      "a name from another script",
      """
      pipeline: p
      stages:
        größe: { run: [make] }

      """,
      """
      p.yaml:3:3: 'größe' cannot name a stage
        hint: names begin with a letter or _, go on with letters, digits, _ and -, and have at most 12\
      8 characters
      """),
    Bad(
      "params as a list",
      """
      pipeline: p
      params: [1]
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:9: 'params' must be a mapping, not a list
      """),
    Bad(
      "a source as a path",
      """
      pipeline: p
      sources: { s: data.jsonl }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:15: source 's' must be a mapping, not the text 'data.jsonl'
      """),
    Bad(
      "a source without a path",
      """
      pipeline: p
      sources: { s: { license: MIT } }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:12: source 's' has no 'path'
      """),
    Bad(
      "a source with an unknown key",
      """
      pipeline: p
      sources: { s: { path: d.jsonl, licence: MIT } }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:32: unknown key 'licence' in source 's'
        hint: did you mean 'license'?
      """),
    Bad(
      "a license that is a number",
      """
      pipeline: p
      sources: { s: { path: d.jsonl, license: 2 } }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:41: the license of source 's' must be a text, not the integer 2
      """),
  ]

  static let references: [Bad] = [
    Bad(
      "an unknown parameter",
      """
      pipeline: p
      params: { sizes: [1] }
      stages:
        a: { run: [make, "${params.sizs}"] }

      """,
      """
      p.yaml:4:20: there is no parameter 'sizs'
        hint: did you mean 'sizes'?
      """),
    Bad(
      "a parameter where there are none",
      """
      pipeline: p
      stages:
        a: { run: [make, "${params.x}"] }

      """,
      """
      p.yaml:3:20: there is no parameter 'x'
        hint: there are no parameters
      """),
    Bad(
      "an unknown member of a parameter",
      """
      pipeline: p
      params: { model: { width: 64 } }
      stages:
        a: { run: [make, "${params.model.with}"] }

      """,
      """
      p.yaml:4:20: 'params.model' has no member 'with'
        hint: did you mean 'width'?
      """),
    Bad(
      "an unknown matrix key",
      """
      pipeline: p
      stages:
        a: { matrix: { size: [1] }, run: [make, "${matrix.siz}"] }

      """,
      """
      p.yaml:3:43: stage 'a' has no matrix key 'siz'
        hint: did you mean 'size'?
      """),
    Bad(
      "an unknown stage",
      """
      pipeline: p
      stages:
        first: { run: [make], out: { o: o.txt } }
        b: { run: [make], in: { x: ${stages.frist.o} } }

      """,
      """
      p.yaml:4:30: there is no stage 'frist'
        hint: did you mean 'first'?
      """),
    Bad(
      "an unknown output",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { table: o.txt } }
        b: { run: [make], in: { x: ${stages.a.tabel} } }

      """,
      """
      p.yaml:4:30: stage 'a' has no output 'tabel'
        hint: did you mean 'table'?
      """),
    Bad(
      "a stage without its output",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { table: o.txt } }
        b: { run: [make], in: { x: ${stages.a} } }

      """,
      """
      p.yaml:4:30: ${stages.a} names no output
        hint: outputs: table
      """),
    Bad(
      "an unknown source",
      """
      pipeline: p
      sources: { seeds: { path: s.jsonl } }
      stages:
        a: { run: [make], in: { x: ${sources.seed} } }

      """,
      """
      p.yaml:4:30: there is no source 'seed'
        hint: did you mean 'seeds'?
      """),
    Bad(
      "an unknown input of a command",
      """
      pipeline: p
      stages:
        a: { run: [make, "${in.row}"], in: { rows: r.jsonl } }

      """,
      """
      p.yaml:3:20: stage 'a' has no input 'row'
        hint: did you mean 'rows'?
      """),
    Bad(
      "an unknown output of a command",
      """
      pipeline: p
      stages:
        a: { run: [make, "${out.tabel}"], out: { table: t.csv } }

      """,
      """
      p.yaml:3:20: stage 'a' has no output 'tabel'
        hint: did you mean 'table'?
      """),
    Bad(
      "an artifact inside a text",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: o } }
        b: { run: [make], in: { x: "${stages.a.o}/part" } }

      """,
      """
      p.yaml:4:30: ${stages.a.o} stands for an artifact and must be the whole value
      """),
    Bad(
      "an artifact in the words of a command",
      """
      pipeline: p
      sources: { s: { path: s.jsonl } }
      stages:
        a: { run: [make, "${sources.s}"] }

      """,
      """
      p.yaml:4:20: ${sources.s} has no meaning here
        hint: references here: ${params.name}, ${matrix.name}, ${in.name}, ${out.name}
      """),
    Bad(
      "an input in an output's path",
      """
      pipeline: p
      stages:
        a: { run: [make], in: { x: x.txt }, out: { o: "${in.x}" } }

      """,
      """
      p.yaml:3:49: ${in.x} has no meaning here
        hint: references here: ${params.name}, ${matrix.name}
      """),
    Bad(
      "a list inside a text",
      """
      pipeline: p
      params: { l: [1, 2] }
      stages:
        a: { run: [make, "n=${params.l}"] }

      """,
      """
      p.yaml:4:20: ${params.l} is a list and cannot stand inside a text
      """),
    Bad(
      "no such namespace",
      """
      pipeline: p
      params: { x: 1 }
      stages:
        a: { run: [make, "${parms.x}"] }

      """,
      """
      p.yaml:4:20: ${parms.x} has no meaning here
        hint: did you mean 'params'?
      """),
    Bad(
      "a variable of the shell",
      """
      pipeline: p
      stages:
        a: { run: "echo ${HOME}" }

      """,
      """
      p.yaml:3:13: '${HOME}' is no reference
        hint: write ${params.name} and the like, or $${ for the characters ${
      """),
    Bad(
      "an empty reference",
      """
      pipeline: p
      stages:
        a: { run: [echo, "${}"] }

      """,
      """
      p.yaml:3:20: '${}' is no reference
        hint: write ${params.name} and the like, or $${ for the characters ${
      """),
    Bad(
      "a reference that does not end",
      """
      pipeline: p
      stages:
        a: { run: [echo, "${params.x"] }

      """,
      """
      p.yaml:3:20: '${params.x' is no reference
        hint: write ${params.name} and the like, or $${ for the characters ${
      """),
    Bad(
      "a parameter made of another",
      """
      pipeline: p
      params: { a: 1, b: "${params.a}" }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:20: ${params.a} has no meaning here
        hint: no references here; write $${ for the characters ${
      """),
    Bad(
      "a reference as a key",
      """
      pipeline: p
      params: { a: x }
      stages:
        a: { uses: synthesize, in: { seeds: s.jsonl }, with: { teacher: symbolic, methods: { "${params\
      .a}": 1 } } }

      """,
      """
      p.yaml:4:88: a key cannot hold a reference
      """),
  ]
}
