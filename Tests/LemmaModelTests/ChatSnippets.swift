import LemmaBasics

@testable import LemmaModel

/// Small templates, one feature of the language each, with what they come to.
struct ChatSnippet {
  enum Outcome {
    case gives(String)
    /// Where it fails, as it does in Jinja.
    case fails(JinjaFault, String)
    /// Where Lemma refuses what Jinja would render.
    case isRefused(JinjaFault, String)
  }

  let source: String
  let outcome: Outcome

  init(_ source: String, _ outcome: Outcome) {
    self.source = source
    self.outcome = outcome
  }

  private init(_ source: String, _ text: String) { self.init(source, .gives(text)) }

  static let messages: [ChatMessage] = [.system("S"), .user("Hi"), .assistant(" Yo \n")]
  static let variables: [String: JSON] = [
    "n": 3, "half": 1.5, "list": [3, 1, 2], "names": ["b", "é"], "flag": true, "nothing": nil,
    "map": ["a": 1, "b": [true, nil]], "people": [["age": 3, "name": "Al"], ["age": 2, "name": "Bo"]],
  ]

  static let all: [ChatSnippet] =
    output + space + operators + extremes + methods + filters + statements + faults + refusals

  private static let output: [ChatSnippet] = [
    .init("", ""),
    .init("a{{ 1 }}b{{ missing }}c", "a1bc"),
    .init(
      "{{ none }} {{ true }} {{ False }} {{ 1.0 }} {{ 1e20 }} {{ 0.1 + 0.2 }}",
      "None True False 1.0 1e+20 0.30000000000000004"),
    .init(#"{{ 'a\tb\\\x41\u00e9\'' ~ "\"" }}"#, "a\tb\\Aé'\""),
    .init("{{ [1, 'a', none, (1,), (), {'k': 'v'}] }}", "[1, 'a', None, (1,), (), {'k': 'v'}]"),
    .init(#"{{ ['it\'s', 'a"b', 'a\'"b', 'é\n'] }}"#, #"["it's", 'a"b', 'a\'"b', 'é\n']"#),
    .init("{{ messages[1] }}{{ messages[1].role }}", "{'role': 'user', 'content': 'Hi'}user"),
    .init("{{ bos_token }}{{ eos_token }}{{ tools }}{{ n }}{{ half }}", "<s></s>None31.5"),
    .init("{{ 'a' 'b' }}{{ 1, 2 }}", "ab(1, 2)"),
  ]

  private static let space: [ChatSnippet] = [
    .init("a  {%- if true -%}  b  {%- endif -%}  c", "abc"),
    .init("x\n  {% if true %}\n  b\n  {% endif %}\nc", "x\n  b\nc"),
    .init("a\n  {%+ if true %}x{% endif +%}\nc", "a\n  x\nc"),
    .init("a {{- 1 -}} b {{ 2 }} c", "a1b 2 c"),
    .init("{{ 1 }}\n{{ 2 }}\n", "1\n2"),
    .init("{{ 1 }}\n\n", "1\n"),
    .init("  {# c #}\nx {#- d -#} y", "xy"),
    .init("a\r\nb\rc", "a\nb\nc"),
    .init("{% raw %}{{ x }}{% if %}{% endraw %}", "{{ x }}{% if %}"),
    .init("a {%- raw -%} {{ x }} {%- endraw -%} b", "a{{ x }}b"),
    .init("{{ '{{ x }}' }}{{ {'a': {'b': 1}}['a']['b'] }}", "{{ x }}1"),
  ]

  private static let operators: [ChatSnippet] = [
    .init("{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % -3 }} {{ 7 / 2 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }}", "3 -4 -2 3.5 64 4"),
    .init("{{ 1 + 2 * 3 - 4 }} {{ (1 + 2) * 3 }} {{ 1 ~ 2 * 3 }} {{ 1 + 1.5 }}", "3 9 16 2.5"),
    .init(
      "{{ 1 < 2 < 3 }} {{ 3 > 2 > 2 }} {{ 'a' in 'cat' }} {{ 3 not in [1] }} {{ not 1 == 2 }}",
      "True False True True True"),
    .init(
      "{{ 0 or 'x' }} {{ 1 and '' }}| {{ none or [] }} {{ 1 == 1.0 }} {{ 'a' == 'b' }} {{ true == 1 }}",
      "x | [] True False True"),
    .init("{{ 'a' if false }}|{{ 'a' if n > 2 else 'b' }}|{{ 'a' if 0 else 'b' if 0 else 'c' }}", "|a|c"),
    .init("{{ 'ab' * 2 + 'c' }} {{ [1] + [2] }} {{ [0] * 2 }}", "ababc [1, 2] [0, 0]"),
    .init(
      "{{ 'hello'[1:3] }} {{ 'hello'[::-1] }} {{ list[-1] }} {{ list[1:] }} {{ list[9] }}|{{ 'é'[0] }}",
      "el olleh 2 [1, 2] |é"),
    .init(
      "{{ map.a }} {{ map['b'] }} {{ map.b.0 }} {{ map.c }}|{{ 'a' in map }} {{ map.items() | list }}",
      "1 [True, None] True |True [('a', 1), ('b', [True, None])]"),
    .init(
      "{{ missing is defined }} {{ n is defined and n is not none }} {{ nothing is none }} {{ n is odd }} {{ 4 is divisibleby 2 }}",
      "False True True True True"),
    .init(
      "{{ 'a' is string }} {{ map is mapping }} {{ list is iterable }} {{ list is sequence }} {{ 1 is number }} {{ true is boolean }}",
      "True True True True True True"),
    .init(
      "{{ 1 is in [1, 2] }} {{ n is eq 3 }} {{ 'A' is upper }} {{ half is float }} {{ flag is true }}",
      "True True True True True"),
  ]

  private static let extremes: [ChatSnippet] = [
    .init(
      "{{ range(9223372036854775800, 9223372036854775807, 5) | list }}", "[9223372036854775800, 9223372036854775805]"),
    .init("{{ range(3, -9223372036854775807, -9223372036854775807) | list }}", "[3, -9223372036854775804]"),
    .init(
      "{% set m = -9223372036854775807 - 1 %}{{ 'abc'[::m] }}{{ 'abc'[m:9223372036854775807:9223372036854775807] }}{{ m % -1 }}",
      "ca0"),
    .init(
      "{% set m = -9223372036854775807 - 1 %}{{ 'a' * m }}{{ 'a b'.split(' ', m) }}{{ 'ab'.replace('a', 'b', m) }}",
      "['a', 'b']bb"),
    .init(
      "{% set m = -9223372036854775807 - 1 %}{{ m == -9.223372036854775808e18 }}{{ m is odd }}{{ [m] | tojson(indent=m) }}",
      "TrueFalse[\n-9223372036854775808\n]"),
    .init("{% set m = -9223372036854775807 - 1 %}{{ m // -1 }}", .isRefused(.limit, "1:44")),
    .init("{% set m = -9223372036854775807 - 1 %}{{ m | abs }}", .isRefused(.limit, "1:46")),
    .init(
      "{{ [9007199254740991.0, 9007199254740992.0, -9999999999999998.0, 1e16, 0.0001, 0.00001, 1.5e22] }}",
      "[9007199254740991.0, 9007199254740992.0, -9999999999999998.0, 1e+16, 0.0001, 1e-05, 1.5e+22]"),
    .init("{{ 'a'[1e5000:] if false }}{{ 1e300 * 1e300 }}{{ 1e16 // 1 }}{{ 5e-324 }}{{ -0.0 }}", "inf1e+165e-324-0.0"),
    .init("{{ 1e300 | int }}", .isRefused(.limit, "1:12")),
    .init("{{ '99999999999999999999' | int }}", .isRefused(.limit, "1:29")),
    .init("{{ '1_000' | int }}", .isRefused(.unsupported, "1:14")),
    .init("{{ '٣' | int }}", .isRefused(.unsupported, "1:11")),
    .init("{{ '-Inf' | float }}", .isRefused(.unsupported, "1:13")),
    .init(
      "{{ '1e3' | int }}{{ ' .5 ' | float }}{{ '5.' | float }}{{ 'x' | float }}{{ '+7' | int }}{{ '' | int(3) }}",
      "10000.55.00.073"),
  ]

  private static let methods: [ChatSnippet] = [
    .init("{{ ' a '.strip() }}|{{ 'xxaxx'.lstrip('x') }}|{{ messages[2]['content'].rstrip() }}", "a|axx| Yo"),
    .init(
      "{{ 'a,b,c'.split(',') }} {{ ' a  b '.split() }} {{ 'a,b,c'.rsplit(',', 1) }} {{ 'a</t>b'.split('</t>')[-1] }}",
      "['a', 'b', 'c'] ['a', 'b'] ['a,b', 'c'] b"),
    .init(
      "{{ 'abc'.startswith('ab') }} {{ 'abc'.endswith(('x', 'bc')) }} {{ 'abc'.find('c') }} {{ 'aXbX'.replace('X', '-') }}",
      "True True 2 a-b-"),
    .init(
      "{{ 'straße ÉΣ'.upper() }} {{ 'ΑΣ É'.lower() }} {{ \"it's a\".title() }} {{ 'éA b'.capitalize() }}",
      "STRASSE ÉΣ ας é It'S A Éa b"),
    .init(
      "{{ '-'.join(['a', 'b']) }} {{ map.get('z', 5) }} {{ map.get('a') }} {{ map.keys() | list }}",
      "a-b 5 1 ['a', 'b']"),
    .init(
      "{{ 'a\\r\\nb\\n'.splitlines() }} {{ '12'.isdigit() }} {{ 'prefix'.removeprefix('pre') }}", "['a', 'b'] True fix"),
  ]

  private static let filters: [ChatSnippet] = [
    .init(
      "{{ ' a ' | trim }} {{ 'aB' | upper | lower }} {{ 'ab cd-ef' | title }} {{ 'aBC' | capitalize }}",
      "a ab Ab Cd-Ef Abc"),
    .init(
      "{{ missing | default('d') }} {{ '' | default('d', true) }} {{ '' | default('d') }}|{{ list | length }}", "d d |3"
    ),
    .init(
      "{{ names | join(', ') }} {{ people | join('+', attribute='name') }} {{ list | first }} {{ list | last }}",
      "b, é Al+Bo 3 2"),
    .init(
      "{{ map | tojson }} {{ 'é\\n<\"' | tojson }} {{ [1.0, none, true] | tojson }}",
      "{\"a\": 1, \"b\": [true, null]} \"é\\n<\\\"\" [1.0, null, true]"),
    .init("{{ [[1]] | tojson(indent=-9223372036854775807) }}", "[\n[\n1\n]\n]"),
    .init("{{ [1, {'a': []}] | tojson(indent=2) }}", "[\n  1,\n  {\n    \"a\": []\n  }\n]"),
    .init("{{ people | map(attribute='age') | list }} {{ ['a'] | map('upper') | list }}", "[3, 2] ['A']"),
    .init(
      "{{ messages | selectattr('role', 'equalto', 'user') | list | length }} {{ people | rejectattr('age', 'gt', 2) | map(attribute='name') | list }}",
      "1 ['Bo']"),
    .init(
      "{{ list | select('odd') | list }} {{ list | reject('odd') | list }} {{ list | reverse | list }}",
      "[3, 1] [2] [2, 1, 3]"),
    .init(
      "{{ '3' | int + 1 }} {{ 'x' | int }} {{ '1.5' | float }} {{ -2 | abs }} {{ 5 | string + '!' }}", "4 0 1.5 2 5!"),
    .init("{{ '<&' | tojson | safe }}{{ ('a' ~ '>') | safe }}", "\"<&\"a>"),
    .init(
      "{{ 'aaa' | replace('a', 'b', 2) }} {{ map | items | list }} {{ 'ab' | list }}",
      "bba [('a', 1), ('b', [True, None])] ['a', 'b']"),
  ]

  private static let statements: [ChatSnippet] = [
    .init("{% if n == 1 %}a{% elif n == 3 %}b{% else %}c{% endif %}", "b"),
    .init(
      "{% for m in messages %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ m.role }};{% endfor %}",
      "10TrueFalse3system;21FalseFalse3user;32FalseTrue3assistant;"),
    .init("{% for x in [] %}a{% else %}none{% endfor %}", "none"),
    .init("{% for x in list if x > 1 %}{{ x }}{{ loop.revindex }}{% endfor %}", "3221"),
    .init(
      "{% for k, v in map.items() %}{{ k }}={{ v }};{% endfor %}{% for k in map %}{{ k }}{% endfor %}",
      "a=1;b=[True, None];ab"),
    .init(
      "{% for x in range(5) %}{% if x == 1 %}{% continue %}{% endif %}{% if x == 3 %}{% break %}{% endif %}{{ x }}{% endfor %}",
      "02"),
    .init(
      "{% for x in list %}{{ loop.previtem }}{{ loop.cycle('a', 'b') }}{{ loop.nextitem is defined }}{% endfor %}",
      "aTrue3bTrue1aFalse"),
    .init(
      "{% for x in [1, 2] %}{% for y in 'ab' %}{{ x }}{{ y }}{{ loop.depth }}{% endfor %}{% endfor %}", "1a11b12a12b1"),
    .init("{% set x = 1 %}{% for y in [1] %}{% set x = 2 %}{{ x }}{% endfor %}{{ x }}", "21"),
    .init("{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}", "2"),
    .init(
      "{% set ns = namespace(n=0, s='') %}{% for x in list %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}{{ ns.s }}",
      "6"),
    .init("{% set x %}a{{ n }}{% endset %}{{ x | upper }}{% set a, b = 1, 2 %}{{ b }}", "A32"),
    .init("{% macro f(a, b='x') %}[{{ a }}{{ b }}]{% endmacro %}{{ f(1) }}{{ f(b=2, a=3) }}{{ f() }}", "[1x][32][x]"),
    .init("{% macro f(k) %}{% if k %}{{ k }}{{ f(k - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "321"),
    .init("{% set q = 1 %}{% macro f() %}{{ q }}{% endmacro %}{% for q in [2] %}{{ f() }}{% endfor %}", "1"),
    .init("{% generation %}{{ n }}{% endgeneration %}", "3"),
    .init("{% if add_generation_prompt %}go{% endif %}{{ dict(a=1).a }}", "1"),
  ]

  private static let faults: [ChatSnippet] = [
    .init("a\n{{ 1 + 'a' }}", .fails(.value, "2:6")),
    .init("é {{ missing.a }}", .fails(.value, "1:15")),
    .init("{{ missing() }}", .fails(.value, "1:4")),
    .init("{{ n() }}", .fails(.value, "1:4")),
    .init("{{ 1 // 0 }}", .fails(.value, "1:6")),
    .init("{{ 'a' < 1 }}", .fails(.value, "1:10")),
    .init("{{ none | length }}", .fails(.value, "1:11")),
    .init("{% for x in 5 %}{% endfor %}", .fails(.value, "1:13")),
    .init("{% for a, b in [1] %}{% endfor %}", .fails(.value, "1:16")),
    .init("{% set x = 1 %}{% set x.a = 2 %}", .fails(.value, "1:19")),
    .init("{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}", .fails(.value, "1:34")),
    .init("{{ raise_exception('roles must alternate') }}", .fails(.raised, "1:4")),
    .init("{% if %}{% endif %}", .fails(.syntax, "1:7")),
    .init("{{ }}", .fails(.syntax, "1:4")),
    .init("{{ (1, 2 }}", .fails(.syntax, "1:10")),
    .init("{{ 1 2 }}", .fails(.syntax, "1:6")),
    .init("{{ 'a }}", .fails(.syntax, "1:4")),
    .init("\n{% if true %}\n", .fails(.syntax, "2:4")),
    .init("{% for x in [] %}{% endif %}", .fails(.syntax, "1:21")),
    .init("{% endif %}", .fails(.syntax, "1:4")),
    .init("{% break %}", .fails(.syntax, "1:4")),
    .init("{# open", .fails(.syntax, "1:1")),
    .init("{% raw %}a", .fails(.syntax, "1:1")),
    .init("{{ 'a' | nothing }}", .fails(.unsupported, "1:10")),
    .init("{{ 1 is nothing }}", .fails(.unsupported, "1:9")),
    .init("{% whatever %}", .fails(.unsupported, "1:4")),
    .init("{% include 'a' %}", .fails(.unsupported, "1:4")),
    .init("{{ list.append(1) }}", .fails(.unsupported, "1:9")),
    .init("{{ range(1000000) }}", .fails(.limit, "1:4")),
  ]

  private static let refusals: [ChatSnippet] = [
    .init("{{ strftime_now('%Y') }}", .isRefused(.unsupported, "1:4")),
    .init("{{ 'a'.__class__ }}", .isRefused(.unsupported, "1:8")),
    .init("{{ '%s' % 'a' }}", .isRefused(.unsupported, "1:9")),
    .init("{{ 'a' | center(5) }}", .isRefused(.unsupported, "1:10")),
    .init("{{ 'a'.zfill(5) }}", .isRefused(.unsupported, "1:8")),
    .init("{% filter upper %}a{% endfilter %}", .isRefused(.unsupported, "1:4")),
    .init("{% with a = 1 %}{{ a }}{% endwith %}", .isRefused(.unsupported, "1:4")),
    .init("{% for x in list recursive %}{% endfor %}", .isRefused(.unsupported, "1:18")),
    .init("{{ range(*list) | list }}", .isRefused(.unsupported, "1:10")),
    .init("{{ {1: 2} }}", .isRefused(.unsupported, "1:5")),
    .init("{{ 9223372036854775807 + 1 }}", .isRefused(.limit, "1:24")),
    .init("{{ '<' + ('a' | safe) }}", .isRefused(.unsupported, "1:17")),
    .init("{{ lipsum() }}", .isRefused(.unsupported, "1:4")),
  ]

  func render() throws -> String {
    try ChatTemplate(source: source, bos: "<s>", eos: "</s>", file: "t").render(
      Self.messages, variables: Self.variables)
  }
}
