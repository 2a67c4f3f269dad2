import type { PatternBomb } from "./hostile_text.page.ts";

const LONG = "x".repeat(100_000);

/** Chat templates that would take the page's time or memory. */
export const TEMPLATE_BOMBS: Readonly<Record<string, string>> = {
  "a range of a billion": "{{ range(1000000000) | join(',') }}",
  "loops in loops": "{% for a in range(30000) %}{% for b in range(30000) %}{% endfor %}{% endfor %}",
  "a long separator between millions": `{{ range(5000000) | join('${LONG}') }}`,
  "a long separator between thousands": `{{ range(100000) | join('${LONG}') }}`,
  "text that doubles": "{% set ns = namespace(s='hello') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s | length }}",
  "lists that double": "{% set ns = namespace(l=[1, 2]) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %}{{ ns.l | length }}",
  "output without end": `{% for a in range(100000) %}{% for b in range(100000) %}${LONG}{% endfor %}{% endfor %}`,
  "a macro that calls itself": "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(1) }}",
  "a macro that calls itself twice": "{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
  "replacements of replacements": `{% set ns = namespace(s='aa') %}{% for i in range(30) %}{% set ns.s = ns.s | replace('a', 'aaaa') %}{% endfor %}{{ ns.s | length }}`,
  "an indent of half a billion": "{{ {'a': {'b': [1, 2]}} | tojson(indent=500000000) }}",
  "a search through everything": "{% set ns = namespace(s='ab') %}{% for i in range(20) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{% for i in range(100000) %}{% if 'abc' in ns.s %}{% endif %}{% endfor %}",
  "three megabytes of template": `${"{{ 1 }}".repeat(430_000)}`,
  "brackets a hundred thousand deep": `{{ ${"(".repeat(100_000)}1${")".repeat(100_000)} }}`,
};

const pre = (pattern: string, text: string): PatternBomb => ({ pattern, text, step: "pre_tokenizer" });
const run = (letter: string, end = "!") => letter.repeat(40) + end;
const megabyte = "a".repeat(1_000_000) + "!";

/** Patterns that take exponential or polynomial time over a short or a long text; the first ones stand for the rest. */
export const PATTERN_BOMBS: readonly PatternBomb[] = [
  pre("(a+)+$", run("a")),
  { pattern: "(a+)+$", text: run("a"), step: "normalizer" },
  { pattern: "(a+)+$", text: run("a"), step: "decoder" },
  { pattern: "(a|a)+$", text: run("a"), step: "added token" },
  pre("a*a*a*a*b", megabyte),
  pre("(?:\\p{L}+\\p{M}?)+(?=\\d)", run("a")),
  pre("(a*)*$", run("a")),
  pre("(a|aa)+$", run("a")),
  pre("(a|a?)+$", run("a")),
  pre("(.*a){20}b", run("a", "a")),
  pre("([a-z]+)*\\d", run("a")),
  pre("([a-zA-Z]+)*$", run("a")),
  pre("(\\w+\\s?)+$", run("a")),
  pre("^(\\w+\\s?)*$", run("a")),
  pre("(\\s+)+x", run(" ")),
  pre("(\\s*\\s*)+x", run(" ")),
  pre("([^\\s]+)+\\d", run("a", " ")),
  pre("(?:a+){2,}$", run("a")),
  pre("((a+)+)+$", run("a")),
  pre("(?=(a+)+$)a", run("a")),
  pre("(a+)+(?<=b)", run("a")),
  pre("(a+b?)+$", run("a")),
  pre("(?:[a-z]|[a-y])+\\d", run("a")),
  pre("(?:\\p{L}|\\p{Ll})+\\d", run("a")),
  pre("(?:\\d+)+x", run("1")),
  pre("(\\d|\\d\\d)+x", run("1")),
  pre("(x+x+)+y", run("x")),
  pre("a+(?=\\d)", megabyte),
  pre("\\s+(?=\\d)", " ".repeat(1_000_000)),
  pre("(?:a|b|ab)+$", "ab".repeat(60) + "!"),
];
