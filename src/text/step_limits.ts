import { HearthError } from "../errors.ts";
import { isObject } from "./tokenizer_config.ts";

// Steps rewrite text, so a file could make a short prompt fill the memory, which ends the page. Real files have a few
// steps that replace a character by another, or by nothing.
const MAX_STEPS = 64;
const MAX_GROWTH = 64; // characters that all steps together may make of one
const MAX_AFFIX = 64; // characters of what a model puts before or after each word

/** Refuse steps of tokenizer.json that would make far more of a text than there is, or never end. */
export function checkStepLimits(json: Record<string, unknown>): void {
  const steps = ["normalizer", "pre_tokenizer", "post_processor", "decoder"].flatMap((name) => stepsOf(json[name]));
  if (steps.length > MAX_STEPS) refuse(`at most ${MAX_STEPS} steps, found ${steps.length}`);
  const growth = steps.reduce((product, step) => product * growthOf(step), 1);
  if (growth > MAX_GROWTH) refuse(`steps that make at most ${MAX_GROWTH} characters of one, found more`);
  steps.forEach(checkStep);
  const model = isObject(json.model) ? json.model : {};
  const affixes = [model.continuing_subword_prefix, model.continuing_subword_suffix, model.end_of_word_suffix];
  if (affixes.some((affix) => lengthOf(affix) > MAX_AFFIX)) refuse(`affixes of at most ${MAX_AFFIX} characters, found a longer one`);
}

function stepsOf(step: unknown): Record<string, unknown>[] {
  if (!isObject(step)) return [];
  const inner = ["normalizers", "pretokenizers", "processors", "decoders"].flatMap((key) => (Array.isArray(step[key]) ? step[key] : []));
  return [step, ...inner.flatMap(stepsOf)];
}

function growthOf(step: Record<string, unknown>): number {
  return ["content", "prepend", "replacement", "str_rep", "suffix", "prefix"].reduce((product, key) => product * Math.max(1, lengthOf(step[key])), 1);
}

function checkStep({ type, length, single, pattern }: Record<string, unknown>): void {
  if ((type === "Split" || type === "Replace") && !(isObject(pattern) && (typeof pattern.String === "string" || typeof pattern.Regex === "string"))) {
    refuse(`${type} with a String or Regex pattern, found neither`);
  }
  if (type === "FixedLength" && !(Number.isInteger(length) && (length as number) > 0)) {
    refuse(`FixedLength with a positive length, found ${JSON.stringify(length)?.slice(0, 40)}`);
  }
  if (type !== "TemplateProcessing") return;
  if (!Array.isArray(single) || single.length > MAX_STEPS || single.filter((item) => isObject(item) && "Sequence" in item).length > 1) {
    refuse(`TemplateProcessing with at most ${MAX_STEPS} items, one of them the text, found something else`);
  }
}

function lengthOf(value: unknown): number {
  return typeof value === "string" ? value.length : 0;
}

function refuse(expected: string): never {
  throw new HearthError("corrupt-checkpoint", `tokenizer.json: expected ${expected}`);
}
