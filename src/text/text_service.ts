import { HearthError } from "../errors.ts";
import type { ChatMessage } from "./chat_messages.ts";
import { ChatTemplate } from "./chat_template.ts";
import { areKnownPatterns } from "./known_patterns.ts";
import { collectStopIds } from "./stop_ids.ts";
import { makeTokenTable, type TokenTable } from "./token_bytes.ts";
import { buildTokenizer, rehearseTokenizer, type TextTokenizer } from "./tokenizer.ts";
import { patternsOf, readTokenizerFile, type TokenizerFile } from "./tokenizer_file.ts";

/** The files that say how a checkpoint's text becomes token ids and back. */
export interface TextFiles {
  /** tokenizer.json; a blob, because it may be large and is needed again when its worker had to be ended. */
  tokenizer: Blob;
  tokenizerConfig?: string;
  /** chat_template.jinja. */
  jinjaFile?: string;
  /** chat_template.json. */
  chatTemplateJson?: string;
  /** `eos_token_id` of generation_config.json. */
  generationEos?: readonly number[];
  /** `eos_token_id` of config.json. */
  configEos?: readonly number[];
}

/** What the rest of the engine knows about a checkpoint's text. */
export interface TextFacts {
  table: TokenTable;
  stopIds: readonly number[];
  hasTemplate: boolean;
  /** Whether encoding runs only patterns that are known to take linear time. */
  hasKnownPatterns: boolean;
}

/**
 * Everything that a checkpoint's text files make run: their JSON, their patterns, their template.
 * It may take any time, so each step is a call of its own, which the caller may end with the thread that it runs in.
 */
export class TextService {
  #files: TextFiles | undefined;
  #file: TokenizerFile | undefined;
  #table: TokenTable | undefined;
  #template: ChatTemplate | undefined;
  #tokenizer: TextTokenizer | undefined;

  /** First step: parse and check the files, running nothing that they say. */
  async read(files: TextFiles): Promise<void> {
    this.#files = files;
    this.#file = readTokenizerFile(await files.tokenizer.text(), files.tokenizerConfig);
    this.#template = ChatTemplate.from(files);
  }

  /** Second step: run the patterns that loading runs. It also refuses a tokenizer whose text cannot be streamed. */
  rehearse(): void {
    const file = present(this.#file);
    asHearthErrors(() => {
      this.#table = makeTokenTable(file);
      rehearseTokenizer(file);
    });
  }

  /** Last step: build the tokenizer. */
  build(): TextFacts {
    const [file, files, table] = [present(this.#file), present(this.#files), present(this.#table)];
    const tokenizer = buildTokenizer(file);
    this.#tokenizer = tokenizer;
    const { normalizer, pre_tokenizer } = file.json;
    return {
      table,
      stopIds: [...collectStopIds({ ...files, tokenizer, templateSource: this.#template?.source })],
      hasTemplate: this.#template !== undefined,
      hasKnownPatterns: areKnownPatterns([...patternsOf(normalizer), ...patternsOf(pre_tokenizer)]),
    };
  }

  /** Render a conversation through the chat template. */
  render(messages: readonly ChatMessage[], templateOptions?: Readonly<Record<string, unknown>>): string {
    return present(this.#template).render(messages, { templateOptions });
  }

  /** Encode text. */
  encode(text: string, options: { addSpecialTokens: boolean }): number[] {
    return asHearthErrors(() => present(this.#tokenizer).encode(text, options));
  }
}

// The steps are called in order, and render only where there is a template.
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("A step of the text service was left out");
  return value;
}

// The tokenizer package fails in its own words on what it was not made for.
function asHearthErrors<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof HearthError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HearthError("corrupt-checkpoint", `tokenizer.json: the tokenizer failed: ${reason}`, { cause });
  }
}
