import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { expect, test } from "@playwright/test";
import fc from "fast-check";

import { ChatTemplate } from "../../src/text/chat_template.ts";
import { compileJinja } from "../../src/text/jinja.ts";
import { TextService } from "../../src/text/text_service.ts";
import { anyJson, anyName, asyncOutcome, checkProperty, outcome } from "./fuzz_support.ts";
import { TINY } from "./text_support.ts";

const utf8 = new TextEncoder();
const TEXT = "Hello <x> world, 123 \u00e9\n";
const CODES = ["corrupt-checkpoint", "unsupported-checkpoint"];

/** A small tokenizer that has a bit of everything. */
const SOUND = {
  version: "1.0",
  added_tokens: [{ id: 5, content: "<x>", special: true, normalized: false, lstrip: false, rstrip: true }],
  normalizer: { type: "Sequence", normalizers: [{ type: "NFC" }, { type: "Replace", pattern: { String: "  " }, content: " " }] },
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [{ type: "Split", pattern: { Regex: "\\p{N}" }, behavior: "Isolated", invert: false }, { type: "ByteLevel", add_prefix_space: false, use_regex: true }],
  },
  post_processor: { type: "TemplateProcessing", single: [{ SpecialToken: { id: "<x>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }], special_tokens: { "<x>": { ids: [5] } } },
  decoder: { type: "ByteLevel" },
  model: { type: "BPE", unk_token: "a", vocab: { a: 0, b: 1, ab: 2, "\u0120": 3, H: 4 }, merges: ["a b"] },
};

/** Every place in a JSON value, as the keys that lead there. */
function placesOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => placesOf(inner, [...path, key]))];
}

/** Write a value as JSON with the text `replacement` in one place, or without that place. */
function spoiled(value: unknown, path: readonly string[], replacement: string | undefined): string | undefined {
  if (path.length === 0) return replacement;
  const parts = Object.entries(value as object).map(([key, inner]) => [key, key === path[0] ? spoiled(inner, path.slice(1), replacement) : JSON.stringify(inner)]);
  const kept = parts.filter(([, json]) => json !== undefined);
  if (Array.isArray(value)) return `[${kept.map(([, json]) => json).join()}]`;
  return `{${kept.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join()}}`;
}

async function useAll(tokenizer: string, tokenizerConfig?: string): Promise<void> {
  const service = new TextService();
  await service.read({ tokenizer: new Blob([tokenizer]), tokenizerConfig });
  service.rehearse();
  const { table } = service.build();
  assert.ok(table.ends.every((end, id) => end >= (table.ends[id - 1] ?? 0)));
  for (const addSpecialTokens of [true, false]) assert.ok(service.encode(TEXT, { addSpecialTokens }).every((id) => Number.isInteger(id)));
}

const step = fc.constantFrom("NFKC", "Lowercase", "Strip", "StripAccents", "BertNormalizer", "Whitespace", "Metaspace", "Digits", "Punctuation", "FixedLength", "BertPreTokenizer",
  "WhitespaceSplit", "Fuse", "ByteFallback", "WordPiece", "CTC", "BPEDecoder", "Sequence", "Split", "Replace", "Prepend", "TemplateProcessing", "RobertaProcessing", "BertProcessing", "Unigram");

test("promise 24: any tokenizer.json works or is refused", async () => {
  const replacement = fc.oneof(anyJson, step.map((type) => JSON.stringify({ type })), step.chain((type) => fc.tuple(anyName, anyJson).map(([key, value]) => `{"type":"${type}",${JSON.stringify(key)}:${value}}`)));
  const cases = fc.record({ path: fc.constantFrom(...placesOf(SOUND)), replacement: fc.option(replacement, { nil: undefined }) });
  let survivors = 0;
  await useAll(JSON.stringify(SOUND));
  await checkProperty("tokenizers", cases, async ({ path, replacement }) => {
    const { code } = await asyncOutcome(() => useAll(spoiled(SOUND, path, replacement) ?? ""));
    if (code === undefined) survivors++;
    else assert.ok(CODES.includes(code), code);
  });
  expect(survivors).toBeGreaterThan(100);
});

test("promise 24: any tokenizer_config.json works or is refused", async () => {
  const keys = fc.oneof(anyName, fc.constantFrom("bos_token", "eos_token", "additional_special_tokens", "extra_special_tokens", "chat_template", "remove_space", "do_lowercase_and_remove_accent"));
  const config = fc.oneof(anyJson, fc.array(fc.tuple(keys, anyJson), { maxLength: 4 }).map((entries) => `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join()}}`));
  await checkProperty("tokenizer configs", config, async (text) => {
    const { code } = await asyncOutcome(() => useAll(JSON.stringify(SOUND), text));
    if (code !== undefined) assert.ok(CODES.includes(code), code);
    const chat = outcome(() => ChatTemplate.from({ chatTemplateJson: text })).code;
    if (chat !== undefined) assert.equal(chat, "corrupt-checkpoint");
  });
});

test("promise 24: any chat template renders or is refused", async () => {
  const pieces = ["{% for m in messages %}", "{% endfor %}", "{% if x %}", "{% else %}", "{% endif %}", "{% set x = messages %}", "{{ m.content }}", "{{ messages[0]['role'] }}", "{{ x | tojson }}",
    "{% macro f(a) %}", "{% endmacro %}", "{{ f(1) }}", "{{ range(9) }}", "{{", "}}", "{%", "%}", "{#", "#}", "'", "loop.index", "x.__proto__", "''.constructor", "|", "(", ")", "[", "]", "~", " + ", "text",
    "{{ messages.__proto__.polluted }}", "{% set ns = namespace(a=1) %}", "{% set ns.__proto__ = 1 %}", "{{ raise_exception('no') }}", "{{ 1 // 0 }}", "{{ 'a'.split('') }}"];
  const template = fc.array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...pieces) }, { weight: 1, arbitrary: anyName }), { maxLength: 8 }).map((parts) => parts.join(""));
  await checkProperty("templates", template, (source) => {
    const { made, code } = outcome(() => compileJinja(source, "test").render({ messages: [{ role: "user", content: "hi" }] }, new Date(0)));
    if (made === undefined) assert.ok(["template", "text-limit"].includes(code), code);
    else assert.equal(typeof made, "string");
  });
});

test("promise 23: a flipped bit in a text file never gets past as anything but text or a typed error", async () => {
  const files = { tokenizer: JSON.stringify(SOUND), jinjaFile: readFileSync(`${TINY}/chat_template.jinja`, "utf8"), tokenizerConfig: readFileSync(`${TINY}/tokenizer_config.json`, "utf8") };
  const flips = fc.record({ file: fc.constantFrom("tokenizer" as const, "jinjaFile" as const, "tokenizerConfig" as const), bit: fc.nat() });
  let refused = 0;
  await checkProperty("bit flips", flips, async ({ file, bit }) => {
    const bytes = utf8.encode(files[file]);
    bytes[Math.floor(bit / 8) % bytes.byteLength] ^= 1 << bit % 8;
    const damaged = { ...files, [file]: new TextDecoder().decode(bytes) };
    const { code } = await asyncOutcome(async () => {
      await useAll(damaged.tokenizer, damaged.tokenizerConfig);
      ChatTemplate.from(damaged)?.render([{ role: "user", content: "hi" }]);
    });
    if (code === undefined) return;
    refused++;
    assert.ok([...CODES, "template", "text-limit"].includes(code), code);
  });
  expect(refused).toBeGreaterThan(100);
});
