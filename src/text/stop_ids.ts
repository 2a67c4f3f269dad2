import { HearthError } from "../errors.ts";
import type { TextTokenizer } from "./tokenizer.ts";
import { parseJsonObject, specialTokenText } from "./tokenizer_config.ts";

/** Where the end of an answer may be declared; many checkpoints name only some of their stop tokens in each place. */
export interface StopIdSources {
  /** `eos_token_id` of generation_config.json. */
  generationEos?: number | readonly number[] | null;
  /** `eos_token_id` of config.json, top level and text_config together. */
  configEos?: number | readonly number[] | null;
  /** The text of tokenizer_config.json. */
  tokenizerConfig?: string;
  tokenizer: TextTokenizer;
  /** The source of the chat template, which shows how a turn ends. */
  templateSource?: string;
}

/** Collect every token id that ends an answer. */
export function collectStopIds(sources: StopIdSources): Set<number> {
  const ids = new Set<number>();
  addIds(ids, sources.generationEos, "generation_config.json");
  addIds(ids, sources.configEos, "config.json");
  const eos = namedEos(sources);
  if (eos !== undefined) ids.add(eos);
  for (const id of turnEndIds(sources)) ids.add(id);
  return ids;
}

function addIds(ids: Set<number>, found: number | readonly number[] | null | undefined, file: string): void {
  for (const id of typeof found === "number" ? [found] : (found ?? [])) {
    if (!Number.isInteger(id) || id < 0) {
      throw new HearthError("corrupt-checkpoint", `${file}: eos_token_id: expected token ids, found ${JSON.stringify(found)}`);
    }
    ids.add(id);
  }
}

function namedEos({ tokenizerConfig, tokenizer }: StopIdSources): number | undefined {
  if (tokenizerConfig === undefined) return undefined;
  const text = specialTokenText(parseJsonObject(tokenizerConfig, "tokenizer_config.json").eos_token);
  return text === undefined ? undefined : tokenizer.tokenId(text);
}

// Each ends the assistant's turn in the templates that print it (ChatML, Llama 3, Gemma 2 and 3, Gemma 4, Command R).
const TURN_ENDS = ["<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<turn|>", "<|END_OF_TURN_TOKEN|>"];

function turnEndIds({ tokenizer, templateSource }: StopIdSources): number[] {
  if (templateSource === undefined) return [];
  // Phi prints <|end|> after each turn; templates without <|assistant|> print it after each part of one answer.
  const candidates = templateSource.includes("<|assistant|>") ? [...TURN_ENDS, "<|end|>"] : TURN_ENDS;
  return candidates
    .filter((text) => templateSource.includes(text))
    .map((text) => tokenizer.tokenId(text))
    .filter((id) => id !== undefined && tokenizer.addedIds.has(id)) as number[];
}
