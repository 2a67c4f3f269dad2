import { HearthError } from "../errors.ts";
import { parseGenerationConfig, type ModelConfig } from "../formats/model_config.ts";
import type { Checkpoint } from "../storage/checkpoint.ts";
import type { ChatMessage } from "../text/chat_template.ts";
import type { TextFacts, TextFiles } from "../text/text_service.ts";
import { TokenBytes } from "../text/token_bytes.ts";
import type { Prompt } from "./options.ts";

/** How a conversation is rendered. */
export interface PromptRenderOptions {
  templateOptions?: Readonly<Record<string, unknown>>;
  signal: AbortSignal;
}

/** How a text is encoded. */
export interface PromptEncodeOptions {
  addSpecialTokens: boolean;
  signal: AbortSignal;
}

/** The text service of one checkpoint, wherever it runs. */
export interface TextHost extends TextFacts {
  render(messages: readonly ChatMessage[], options: PromptRenderOptions): Promise<string>;
  encode(text: string, options: PromptEncodeOptions): Promise<number[]>;
  /** End it. */
  close(): void;
}

/** The text side of a checkpoint: prompt to token ids, token ids to text. */
export interface CheckpointText {
  host: TextHost;
  pieces: TokenBytes;
  stopIds: ReadonlySet<number>;
}

// Refused before it is downloaded: twice the largest tokenizer.json seen, and eight times any other file.
const MAX_TOKENIZER_BYTES = 64 * 1024 * 1024;
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/** Read a small file as text, or undefined when the checkpoint lacks it. */
export async function readText(checkpoint: Checkpoint, name: string, signal?: AbortSignal): Promise<string | undefined> {
  const bytes = await readBytes(checkpoint, name, MAX_TEXT_BYTES, signal);
  return bytes && new TextDecoder().decode(bytes);
}

async function readBytes(checkpoint: Checkpoint, name: string, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const file = await checkpoint.open(name, signal);
  if (!file) return undefined;
  if (file.byteLength > maxBytes) {
    throw new HearthError("corrupt-checkpoint", `${name}: expected at most ${maxBytes} bytes, found ${file.byteLength}; this is no honest model's file`);
  }
  return file.read(0, file.byteLength, signal);
}

/** Read tokenizer, chat template and stop tokens; undefined where there is no tokenizer.json: logits need none. */
export async function loadText(
  checkpoint: Checkpoint, config: ModelConfig, startText: (files: TextFiles) => Promise<TextHost>, signal?: AbortSignal,
): Promise<CheckpointText | undefined> {
  const read = (name: string) => readText(checkpoint, name, signal);
  const tokenizer = await readBytes(checkpoint, "tokenizer.json", MAX_TOKENIZER_BYTES, signal);
  if (tokenizer === undefined) return undefined;
  const tokenizerConfig = await read("tokenizer_config.json");
  const generationJson = await read("generation_config.json");
  const jinjaFile = await read("chat_template.jinja");
  const host = await startText({
    tokenizer: new Blob([tokenizer]),
    tokenizerConfig,
    jinjaFile,
    chatTemplateJson: jinjaFile === undefined ? await read("chat_template.json") : undefined,
    generationEos: generationJson === undefined ? undefined : parseGenerationConfig(generationJson).eosTokenIds,
    configEos: config.eosTokenIds,
  });
  return { host, pieces: new TokenBytes(host.table), stopIds: new Set(host.stopIds) };
}

/** Turn a prompt into token ids: a conversation through the chat template, plain text as it stands. */
export async function encodePrompt({ host }: CheckpointText, prompt: Prompt, options: PromptRenderOptions): Promise<number[]> {
  const { signal } = options;
  if (typeof prompt === "string") return host.encode(prompt, { addSpecialTokens: true, signal });
  if (!host.hasTemplate) {
    throw new HearthError("template", "This checkpoint has no chat template, so it cannot take messages. Pass the prompt as a string.");
  }
  return host.encode(await host.render(prompt, options), { addSpecialTokens: false, signal });
}
