// Regular expressions that real tokenizers split text with, and that take time linear in the text
// (e2e/unit/hostile_patterns.spec.ts measures every one). Any other pattern is run under a short time limit.

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const SHORT_CONTRACTIONS = "(?i:[sdmt]|ll|ve|re)";
const ENDS = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";

// The shape that cl100k gave to most families: contractions, words, digits, punctuation, white space.
const cl100k = (contractions: string, digits: string) =>
  `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${ENDS}`;

// o200k tells words by their case.
const o200k = (contractions: string, digits: string) =>
  `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+${contractions}|[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*${contractions}` +
  `|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${ENDS}`;

/** Every pattern that is known to be harmless, as tokenizer.json spells it. */
export const KNOWN_PATTERNS: readonly string[] = [
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", // GPT-2
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", // GPT-2, shortened
  cl100k(CONTRACTIONS, "\\p{N}"), // Qwen 2, 2.5 and 3
  cl100k(CONTRACTIONS, "\\p{N}{1,3}"), // Llama 3, SmolLM3, OLMo 2
  cl100k(`'${SHORT_CONTRACTIONS}`, "\\p{N}{1,3}"), // cl100k in the spelling of tiktoken
  `${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${ENDS}`, // Qwen 3.5
  o200k(`${CONTRACTIONS}?`, "\\p{N}{1,3}"), // GPT-4o, gpt-oss, Llama 4, Phi-4-mini
  o200k("", "\\p{N}"), // Mistral's Tekken
  // DeepSeek's, one after the other
  "[\r\n]",
  "\\s?\\p{L}+",
  "\\s?\\p{P}+",
  "[一-龥ࠀ-一가-퟿]+",
  "[一-龥぀-ゟ゠-ヿ]+",
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
  " ?[^(\\s|[.,!?…。，、।۔،])]+", // BLOOM
  "\\p{N}",
  "\\p{N}{1,3}",
  "\\d",
  "[0-9]",
  "[0-9][0-9][0-9]", // Falcon
  "\\s+",
  " {2,}",
  "\\n",
  "``",
  "''",
];

const KNOWN: ReadonlySet<string> = new Set(KNOWN_PATTERNS);

/** Tell whether every pattern is one that is known to take linear time. */
export function areKnownPatterns(patterns: readonly string[]): boolean {
  return patterns.every((pattern) => KNOWN.has(pattern));
}
