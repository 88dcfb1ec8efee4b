/// Bad pipeline files, each with everything that the user is told about it.
extension Bad {
  static let paths: [Bad] = [
    Bad(
      "an output at /etc/passwd",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: /etc/passwd } }

      """,
      """
      p.yaml:3:31: '/etc/passwd' is an absolute path
        hint: write it relative to the project's folder
      """),
    Bad(
      "an output at ../up.txt",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: ../up.txt } }

      """,
      """
      p.yaml:3:31: '../up.txt' leads upward with '..'
        hint: write it relative to the project's folder
      """),
    Bad(
      "an output at a/../../up.txt",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: a/../../up.txt } }

      """,
      """
      p.yaml:3:31: 'a/../../up.txt' leads upward with '..'
        hint: write it relative to the project's folder
      """),
    Bad(
      "an output at ~/x",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: ~/x } }

      """,
      """
      p.yaml:3:31: ~ is not expanded in '~/x'
        hint: write it relative to the project's folder
      """),
    Bad(
      "an output at ~",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: ~ } }

      """,
      """
      p.yaml:3:31: the path of output 'o' must be a text, not nothing
      """),
    Bad(
      "an output at .git/config",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: .git/config } }

      """,
      """
      p.yaml:3:31: '.git/config' lies inside .git
      """),
    Bad(
      "an output at sub/.git/hooks/x",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: sub/.git/hooks/x } }

      """,
      """
      p.yaml:3:31: 'sub/.git/hooks/x' lies inside .git
      """),
    Bad(
      "an output at sub/.GIT/x",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: sub/.GIT/x } }

      """,
      """
      p.yaml:3:31: 'sub/.GIT/x' lies inside .git
      """),
    Bad(
      "an output at cache",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: cache } }

      """,
      """
      p.yaml:3:31: 'cache' lies inside cache, where the store is
        hint: use another folder, such as results
      """),
    Bad(
      "an output at cache/objects/x",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: cache/objects/x } }

      """,
      """
      p.yaml:3:31: 'cache/objects/x' lies inside cache, where the store is
        hint: use another folder, such as results
      """),
    Bad(
      "an output at ./cache/x",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: ./cache/x } }

      """,
      """
      p.yaml:3:31: './cache/x' lies inside cache, where the store is
        hint: use another folder, such as results
      """),
    Bad(
      "an output at \"\"",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: "" } }

      """,
      """
      p.yaml:3:31: the path is empty
      """),
    Bad(
      "an output at .",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: . } }

      """,
      """
      p.yaml:3:31: '.' is the whole project
        hint: name a folder inside it
      """),
    Bad(
      "an output at ./",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: ./ } }

      """,
      """
      p.yaml:3:31: './' is the whole project
        hint: name a folder inside it
      """),
    Bad(
      "an output at \"a-b\"",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: "a\\nb" } }

      """,
      """
      p.yaml:3:31: a path cannot hold control characters
      """),
    Bad(
      "an output at p.yaml",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: p.yaml } }

      """,
      """
      p.yaml:3:31: output 'o' of 'a' ('p.yaml') would overwrite the pipeline file ('p.yaml')
        hint: give it a path of its own under 'out'
      """),
    Bad(
      "an output at p.yaml/x",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: p.yaml/x } }

      """,
      """
      p.yaml:3:31: output 'o' of 'a' ('p.yaml/x') lies inside the pipeline file ('p.yaml')
        hint: give it a path of its own under 'out'
      """),
    Bad(
      "an output at 5",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: 5 } }

      """,
      """
      p.yaml:3:31: the path of output 'o' must be a text, not the integer 5
      """),
    Bad(
      "an output at [a, b]",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: [a, b] } }

      """,
      """
      p.yaml:3:31: the path of output 'o' must be a text, not a list
      """),
    Bad(
      "a source that climbs in the middle",
      """
      pipeline: p
      sources: { s: { path: ../data/../../x } }
      stages:
        a: { run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:2:23: '../data/../../x' leads upward with '..'
        hint: write it relative to the project's folder
      """),
    Bad(
      "an input outside",
      """
      pipeline: p
      stages:
        a: { run: [make], in: { x: /etc/passwd } }

      """,
      """
      p.yaml:3:30: '/etc/passwd' is an absolute path
        hint: write it relative to the project's folder
      """),
    Bad(
      "a way up from a parameter",
      """
      pipeline: p
      params: { p: .. }
      stages:
        a: { run: [make], out: { o: "results/${params.p}/x" } }

      """,
      """
      p.yaml:4:31: 'results/../x' leads upward with '..'
        hint: write it relative to the project's folder
      """),
    Bad(
      "the pipeline file as an input",
      """
      pipeline: p
      stages:
        a: { run: [make], in: { x: p.yaml } }

      """,
      """
      p.yaml:3:30: the pipeline file cannot be an input of its own stages
      """),
    Bad(
      "an input that is a number",
      """
      pipeline: p
      stages:
        a: { run: [make], in: { x: 5 } }

      """,
      """
      p.yaml:3:30: an input must be a reference or a path, not the integer 5
        hint: write ${sources.name}, ${stages.name.output} or the path of a file
      """),
    Bad(
      "an input without a value",
      """
      pipeline: p
      stages:
        a: { run: [make], in: { x: } }

      """,
      """
      p.yaml:3:30: an input must be a reference or a path, not nothing
        hint: write ${sources.name}, ${stages.name.output} or the path of a file
      """),
    Bad(
      "an empty list as an input",
      """
      pipeline: p
      stages:
        a: { run: [make], in: { x: [] } }

      """,
      """
      p.yaml:3:30: an input cannot be an empty list
      """),
    Bad(
      "a list in a list as an input",
      """
      pipeline: p
      stages:
        a: { run: [make], in: { x: [[a.txt]] } }

      """,
      """
      p.yaml:3:31: an input's list cannot hold a list
      """),
    Bad(
      "a name that is too long",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx } }

      """,
      """
      p.yaml:3:31: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...' is longer than th\
      e 255 bytes that a file name can have
      """),
    Bad(
      "a path that is too deep",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: a/b/c/d/e/f/g/h/i/j/a/b/c/d/e/f/g/h/i/j/a/b/c/d/e/f/g/h/i/j/a/b/c/\
      d/e/f/g/h/i/j/a/b/c/d/e/f/g/h/i/j/a/b/c/d/e/f/g/h/i/j/a/b/c/d/e/f/g/h/i/j } }

      """,
      """
      p.yaml:3:31: the path is deeper than 64 folders
      """),
    Bad(
      "a path that is too long",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/xxxxxxxxxxxxxxxxxxxxx\
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
      xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx } }

      """,
      """
      p.yaml:3:31: the path is longer than 1024 bytes
      """),
  ]

  static let overlaps: [Bad] = [
    Bad(
      "one path for two stages",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: o.txt } }
        b: { run: [make], out: { p: ./o.txt } }

      """,
      """
      p.yaml:4:31: output 'o' of 'a' and output 'p' of 'b' are both written to 'o.txt'
        hint: give it a path of its own under 'out'
      """),
    Bad(
      "one path for two outputs",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: o.txt, p: o.txt } }

      """,
      """
      p.yaml:3:41: output 'o' of 'a' and output 'p' of 'a' are both written to 'o.txt'
        hint: give it a path of its own under 'out'
      """),
    Bad(
      "one path for all instances",
      """
      pipeline: p
      stages:
        a: { matrix: { size: [1, 2, 3], seed: [1] }, run: [make], out: { o: o.txt } }

      """,
      """
      p.yaml:3:71: output 'o' of 'a[size=1,seed=1]' and output 'o' of 'a[size=2,seed=1]' are both writ\
      ten to 'o.txt'
        hint: put ${matrix.size} and ${matrix.seed} into the path
      """),
    Bad(
      "an output inside another",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: results/m } }
        b: { run: [make], out: { p: results/m/x.txt } }

      """,
      """
      p.yaml:4:31: output 'p' of 'b' ('results/m/x.txt') lies inside output 'o' of 'a' ('results/m')
        hint: give it a path of its own under 'out'
      """),
    Bad(
      "an output around another",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: results/m/deep/x.txt } }
        b: { run: [make], out: { p: results/m } }

      """,
      """
      p.yaml:3:31: output 'o' of 'a' ('results/m/deep/x.txt') lies inside output 'p' of 'b' ('results/m')
        hint: give it a path of its own under 'out'
      """),
    Bad(
      "an output at a source",
      """
      pipeline: p
      sources: { s: { path: data/s.jsonl } }
      stages:
        a: { run: [make], out: { o: data/s.jsonl } }

      """,
      """
      p.yaml:4:31: output 'o' of 'a' ('data/s.jsonl') would overwrite the source 's' ('data/s.jsonl')
        hint: give it a path of its own under 'out'
      """),
    Bad(
      "an output around a source",
      """
      pipeline: p
      sources: { s: { path: data/s.jsonl } }
      stages:
        a: { run: [make], out: { o: data } }

      """,
      """
      p.yaml:4:31: output 'o' of 'a' ('data') would overwrite the source 's' ('data/s.jsonl')
        hint: give it a path of its own under 'out'
      """),
    Bad(
      "an output inside a source",
      """
      pipeline: p
      sources: { s: { path: data } }
      stages:
        a: { run: [make], out: { o: data/o.txt } }

      """,
      """
      p.yaml:4:31: output 'o' of 'a' ('data/o.txt') lies inside the source 's' ('data')
        hint: give it a path of its own under 'out'
      """),
    Bad(
      "an input that another stage makes",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: o.txt } }
        b: { run: [make], in: { x: o.txt } }

      """,
      """
      p.yaml:4:30: 'o.txt' is output 'o' of 'a'
        hint: refer to it as ${stages.a.o}
      """),
    Bad(
      "an input inside what another stage makes",
      """
      pipeline: p
      stages:
        a: { run: [make], out: { o: m } }
        b: { run: [make], in: { x: m/config.json } }

      """,
      """
      p.yaml:4:30: 'm/config.json' lies inside output 'o' of 'a'
        hint: refer to it as ${stages.a.o}
      """),
    Bad(
      "an output inside an input",
      """
      pipeline: p
      stages:
        a: { run: [make], in: { x: scripts }, out: { o: scripts/o.txt } }

      """,
      """
      p.yaml:3:51: output 'o' of 'a' ('scripts/o.txt') lies inside an input of 'a' ('scripts')
        hint: give it a path of its own under 'out'
      """),
    Bad(
      "a kind's default place taken",
      """
      pipeline: p
      stages:
        a: { uses: sft, in: { rows: r.jsonl } }
        b: { run: [make], out: { o: results/a/model/x } }

      """,
      """
      p.yaml:4:31: output 'o' of 'b' ('results/a/model/x') lies inside output 'model' of 'a' ('results\
      /a/model')
        hint: give it a path of its own under 'out'
      """),
  ]
}
