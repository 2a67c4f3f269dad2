import { HearthError } from "../errors.ts";
import { parseGenerationConfig, type ModelConfig } from "../formats/model_config.ts";
import type { Checkpoint } from "../storage/checkpoint.ts";
import { ChatTemplate } from "../text/chat_template.ts";
import { collectStopIds } from "../text/stop_ids.ts";
import { createTokenizer, type TextTokenizer } from "../text/tokenizer.ts";
import type { Prompt } from "./options.ts";

/** The text side of a checkpoint: prompt to token ids, token ids to text. */
export interface CheckpointText {
  tokenizer: TextTokenizer;
  template: ChatTemplate | undefined;
  stopIds: ReadonlySet<number>;
}

/** Read a small file as text, or undefined when the checkpoint lacks it. */
export async function readText(checkpoint: Checkpoint, name: string, signal?: AbortSignal): Promise<string | undefined> {
  const file = await checkpoint.open(name, signal);
  if (!file) return undefined;
  return new TextDecoder().decode(await file.read(0, file.byteLength, signal));
}

/** Read tokenizer, chat template and stop tokens; undefined where there is no tokenizer.json: logits need none. */
export async function loadText(checkpoint: Checkpoint, config: ModelConfig, signal?: AbortSignal): Promise<CheckpointText | undefined> {
  const read = (name: string) => readText(checkpoint, name, signal);
  const tokenizerJson = await read("tokenizer.json");
  if (tokenizerJson === undefined) return undefined;
  const tokenizerConfig = await read("tokenizer_config.json");
  const generationJson = await read("generation_config.json");
  const jinjaFile = await read("chat_template.jinja");
  const chatTemplateJson = jinjaFile === undefined ? await read("chat_template.json") : undefined;
  const tokenizer = createTokenizer(tokenizerJson, tokenizerConfig);
  void tokenizer.pieces; // refuses, before any weight is read, a tokenizer whose text cannot be streamed
  const template = ChatTemplate.from({ jinjaFile, tokenizerConfig, chatTemplateJson });
  const stopIds = collectStopIds({
    generationEos: generationJson === undefined ? undefined : parseGenerationConfig(generationJson).eosTokenIds,
    configEos: config.eosTokenIds,
    tokenizerConfig,
    tokenizer,
    templateSource: template?.source,
  });
  return { tokenizer, template, stopIds };
}

/** Turn a prompt into token ids: a conversation through the chat template, plain text as it stands. */
export function encodePrompt(text: CheckpointText, prompt: Prompt, templateOptions?: Readonly<Record<string, unknown>>): number[] {
  if (typeof prompt === "string") return text.tokenizer.encode(prompt, { addSpecialTokens: true });
  if (!text.template) {
    throw new HearthError("template", "This checkpoint has no chat template, so it cannot take messages. Pass the prompt as a string.");
  }
  return text.tokenizer.encode(text.template.render(prompt, { templateOptions }), { addSpecialTokens: false });
}
