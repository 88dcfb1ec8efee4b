/// Bad pipeline files, each with everything that the user is told about it.
extension Bad {
  static let kinds: [Bad] = [
    Bad(
      "an unknown kind",
      """
      pipeline: p
      stages:
        a: { uses: sfft }

      """,
      """
      p.yaml:3:14: there is no stage kind 'sfft'
        hint: did you mean 'sft'?
      """),
    Bad(
      "a kind that is a list",
      """
      pipeline: p
      stages:
        a: { uses: [sft] }

      """,
      """
      p.yaml:3:14: 'uses' must be a text, not a list
      """),
    Bad(
      "a missing parameter",
      """
      pipeline: p
      stages:
        a: { uses: synthesize, in: { seeds: s.jsonl } }

      """,
      """
      p.yaml:3:3: 'teacher' is missing
        hint: it must be one of symbolic, remote: who writes
      """),
    Bad(
      "a missing parameter beside others",
      """
      pipeline: p
      stages:
        a:
          uses: synthesize
          in: { seeds: s.jsonl }
          with: { rows: 5 }

      """,
      """
      p.yaml:6:11: 'teacher' is missing
        hint: it must be one of symbolic, remote: who writes
      """),
    Bad(
      "an unknown parameter",
      """
      pipeline: p
      stages:
        a: { uses: sft, in: { rows: r.jsonl }, with: { takes: 5 } }

      """,
      """
      p.yaml:3:50: unknown key 'takes' in 'with'
        hint: did you mean 'take'?
      """),
    Bad(
      "a number where an integer stands",
      """
      pipeline: p
      stages:
        a: { uses: sft, in: { rows: r.jsonl }, with: { take: 1.5 } }

      """,
      """
      p.yaml:3:56: 'take' must be an integer of at least 1, not the number 1.5
      """),
    Bad(
      "an integer out of range",
      """
      pipeline: p
      stages:
        a: { uses: synthesize, in: { seeds: s.jsonl }, with: { teacher: symbolic, rows: 0 } }

      """,
      """
      p.yaml:3:83: 'rows' must be an integer from 1 to 1000000, not the integer 0
      """),
    Bad(
      "a share out of range",
      """
      pipeline: p
      stages:
        a: { uses: synthesize, in: { seeds: s.jsonl }, with: { teacher: symbolic, methods: { evol: 1.5\
       } } }

      """,
      """
      p.yaml:3:94: 'methods.evol' must be a number from 0 to 1, not the number 1.5
      """),
    Bad(
      "a word that is no choice",
      """
      pipeline: p
      stages:
        a: { uses: synthesize, in: { seeds: s.jsonl }, with: { teacher: symbolik } }

      """,
      """
      p.yaml:3:67: 'teacher' must be one of symbolic, remote, not the text 'symbolik'
        hint: did you mean 'symbolic'?
      """),
    Bad(
      "a number where a text stands",
      """
      pipeline: p
      stages:
        a: { uses: sft, in: { rows: r.jsonl }, with: { note: 5 } }

      """,
      """
      p.yaml:3:56: 'note' must be a text, not the integer 5
        hint: write it in quotes, if it is text
      """),
    Bad(
      "a text where true or false stands",
      """
      pipeline: p
      stages:
        a: { uses: synthesize, in: { seeds: s.jsonl }, with: { teacher: symbolic, shuffle: "no" } }

      """,
      """
      p.yaml:3:86: 'shuffle' must be true or false, not the text 'no'
      """),
    Bad(
      "one text where a list stands",
      """
      pipeline: p
      stages:
        a: { uses: synthesize, in: { seeds: s.jsonl }, with: { teacher: symbolic, stop: end } }

      """,
      """
      p.yaml:3:83: 'stop' must be a list, each a text, not the text 'end'
      """),
    Bad(
      "a wrong element of a list",
      """
      pipeline: p
      stages:
        a: { uses: synthesize, in: { seeds: s.jsonl }, with: { teacher: symbolic, stop: [end, [stop]] } }

      """,
      """
      p.yaml:3:89: 'stop[1]' must be a text, not a list
      """),
    Bad(
      "a record without a member",
      """
      pipeline: p
      stages:
        a: { uses: sft, in: { rows: r.jsonl }, with: { optimizer: { name: sgd } } }

      """,
      """
      p.yaml:3:61: 'optimizer.rate' is missing
        hint: it must be a number from 0 to 10: learning rate
      """),
    Bad(
      "a record with an unknown member",
      """
      pipeline: p
      stages:
        a: { uses: sft, in: { rows: r.jsonl }, with: { optimizer: { rate: 0.1, nam: sgd } } }

      """,
      """
      p.yaml:3:74: unknown key 'nam' in 'optimizer'
        hint: did you mean 'name'?
      """),
    Bad(
      "a parameter of the wrong type",
      """
      pipeline: p
      params: { n: many }
      stages:
        a: { uses: sft, in: { rows: r.jsonl }, with: { take: ${params.n} } }

      """,
      """
      p.yaml:4:56: 'take' must be an integer of at least 1, not the text 'many'
      """),
    Bad(
      "with as a list",
      """
      pipeline: p
      stages:
        a: { uses: sft, in: { rows: r.jsonl }, with: [take, 5] }

      """,
      """
      p.yaml:3:48: 'with' must be a mapping, not a list
      """),
    Bad(
      "a missing input",
      """
      pipeline: p
      stages:
        a: { uses: sft }

      """,
      """
      p.yaml:3:3: 'a' lacks the input 'rows' that 'sft' needs
        hint: what to learn
      """),
    Bad(
      "an unknown input",
      """
      pipeline: p
      stages:
        a: { uses: sft, in: { row: r.jsonl } }

      """,
      """
      p.yaml:3:25: the kind 'sft' has no input 'row'
        hint: did you mean 'rows'?
      """),
    Bad(
      "an unknown output",
      """
      pipeline: p
      stages:
        a: { uses: sft, in: { rows: r.jsonl }, out: { modle: m } }

      """,
      """
      p.yaml:3:49: the kind 'sft' has no output 'modle'
        hint: did you mean 'model'?
      """),
    Bad(
      "a list for one artifact",
      """
      pipeline: p
      stages:
        a: { uses: sft, in: { rows: [r.jsonl, s.jsonl] } }

      """,
      """
      p.yaml:3:31: 'rows' of 'a' takes one artifact, and here are 2
      """),
    Bad(
      "a whole matrix for one artifact",
      """
      pipeline: p
      stages:
        a: { matrix: { size: [1, 2] }, run: [make], out: { o: "${matrix.size}.txt" } }
        b: { uses: sft, in: { rows: ${stages.a.o} } }

      """,
      """
      p.yaml:4:31: 'rows' of 'b' takes one artifact, and here are 2
        hint: give 'b' a matrix with the key size
      """),
  ]

  static let matrices: [Bad] = [
    Bad(
      "an empty matrix",
      """
      pipeline: p
      stages:
        a: { run: [make], matrix: {} }

      """,
      """
      p.yaml:3:29: the matrix of 'a' is empty
      """),
    Bad(
      "a key without values",
      """
      pipeline: p
      stages:
        a: { run: [make], matrix: { size: [] } }

      """,
      """
      p.yaml:3:37: the matrix key 'size' has no values
      """),
    Bad(
      "an empty list from a parameter",
      """
      pipeline: p
      params: { sizes: [] }
      stages:
        a: { run: [make], matrix: { size: ${params.sizes} } }

      """,
      """
      p.yaml:4:37: the matrix key 'size' has no values
      """),
    Bad(
      "one value without brackets",
      """
      pipeline: p
      stages:
        a: { run: [make], matrix: { size: 5 } }

      """,
      """
      p.yaml:3:37: the matrix key 'size' must be a list of values, not the integer 5
      """),
    Bad(
      "a matrix that is a list",
      """
      pipeline: p
      stages:
        a: { run: [make], matrix: [1, 2] }

      """,
      """
      p.yaml:3:29: the matrix of 'a' must be a mapping, not a list
      """),
    Bad(
      "a value twice",
      """
      pipeline: p
      stages:
        a: { run: [make], matrix: { size: [1, 2, 1.0] } }

      """,
      """
      p.yaml:3:44: the matrix key 'size' has the value '1' twice
      """),
    Bad(
      "a number and its text",
      """
      pipeline: p
      stages:
        a: { run: [make], matrix: { size: [1, "1"] } }

      """,
      """
      p.yaml:3:41: the matrix key 'size' has the value '1' twice
      """),
    Bad(
      "a list as a value",
      """
      pipeline: p
      stages:
        a: { run: [make], matrix: { size: [[1], 2] } }

      """,
      """
      p.yaml:3:38: the values of the matrix key 'size' must be texts, numbers or booleans, not a list
      """),
    Bad(
      "null as a value",
      """
      pipeline: p
      stages:
        a: { run: [make], matrix: { size: [null] } }

      """,
      """
      p.yaml:3:38: the values of the matrix key 'size' must be texts, numbers or booleans, not nothing
      """),
    Bad(
      "a value with a comma",
      """
      pipeline: p
      stages:
        a: { run: [make], matrix: { s: ["a,b"] } }

      """,
      """
      p.yaml:3:35: 'a,b' cannot be a matrix value
        hint: values stand in stage ids: no commas, brackets or line breaks, and not nothing
      """),
    Bad(
      "no instance that agrees",
      """
      pipeline: p
      stages:
        a: { matrix: { s: [1, 2] }, run: [make], out: { o: "a${matrix.s}" } }
        b: { matrix: { s: [2, 3] }, run: [make], in: { x: ${stages.a.o} } }

      """,
      """
      p.yaml:4:53: no instance of 'a' has s=3, which 'b[s=3]' asks for
      """),
    Bad(
      "too many stages",
      """
      pipeline: p
      params: { l: [0,1,2,3,4,5,6,7,8,9] }
      stages:
        a: { run: [make], matrix: { a: ${params.l}, b: ${params.l}, c: ${params.l}, d: ${params.l}, e:\
       ${params.l}, f: ${params.l} } }

      """,
      """
      p.yaml:4:29: the matrix of 'a' makes more than 100000 stages
      """),
    Bad(
      "too many stages together",
      """
      pipeline: p
      params: { l: [0,1,2,3,4,5,6,7,8,9] }
      stages:
        a: { run: [make], matrix: { a: ${params.l}, b: ${params.l}, c: ${params.l}, d: ${params.l}, e:\
       ${params.l} } }
        b: { run: [make] }

      """,
      """
      p.yaml:5:3: the pipeline has more than 100000 stages with this one
      """),
    Bad(
      "too many keys",
      """
      pipeline: p
      stages:
        a: { run: [make], matrix: { k0: [1], k1: [1], k2: [1], k3: [1], k4: [1], k5: [1], k6: [1], k7:\
       [1], k8: [1], k9: [1], k10: [1], k11: [1], k12: [1], k13: [1], k14: [1], k15: [1], k16: [1] } }

      """,
      """
      p.yaml:3:29: the matrix of 'a' has more than 16 keys
      """),
  ]

  static let circles: [Bad] = [
    Bad(
      "a stage that needs itself",
      """
      pipeline: p
      stages:
        a: { run: [make], in: { x: ${stages.a.o} }, out: { o: o.txt } }

      """,
      """
      p.yaml:3:30: the stages need each other in a circle: a -> a
      """),
    Bad(
      "a circle of three",
      """
      pipeline: p
      stages:
        a: { run: [make], in: { x: ${stages.b.o} }, out: { o: a.txt } }
        b: { run: [make], in: { x: ${stages.c.o} }, out: { o: b.txt } }
        c: { run: [make], in: { x: ${stages.a.o} }, out: { o: c.txt } }

      """,
      """
      p.yaml:5:30: the stages need each other in a circle: a -> b -> c -> a
      """),
    Bad(
      "two circles",
      """
      pipeline: p
      stages:
        a: { run: [make], in: { x: ${stages.b.o} }, out: { o: a.txt } }
        b: { run: [make], in: { x: ${stages.a.o} }, out: { o: b.txt } }
        c: { run: [make], in: { x: ${stages.c.o} }, out: { o: c.txt } }

      """,
      """
      p.yaml:4:30: the stages need each other in a circle: a -> b -> a
      p.yaml:5:30: the stages need each other in a circle: c -> c
      """),
  ]
}
