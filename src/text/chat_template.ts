import { HearthError } from "../errors.ts";
import type { ChatMessage, ContentForm } from "./chat_messages.ts";
import { checkMessages, templateMessages, withoutNullContent } from "./chat_messages.ts";
import type { JinjaProgram } from "./jinja.ts";
import { BUILT_IN_NAMES, compileJinja } from "./jinja.ts";
import { isObject, kindOf, parseJsonObject, SPECIAL_TOKEN_KEYS, specialTokenText } from "./tokenizer_config.ts";

export type { ChatMessage } from "./chat_messages.ts";

/** The texts of the files that may hold a chat template. */
export interface TemplateSources {
  /** chat_template.jinja, which wins over the others. */
  jinjaFile?: string;
  /** tokenizer_config.json, which also names the special tokens. */
  tokenizerConfig?: string;
  /** chat_template.json. */
  chatTemplateJson?: string;
}

/** How a conversation is rendered. */
export interface RenderOptions {
  /** Further variables, such as `{ enable_thinking: false }` or `{ tools: [...] }`. */
  templateOptions?: Readonly<Record<string, unknown>>;
  /** End with the header of the answer to come. Default true. */
  addGenerationPrompt?: boolean;
  /** The time that templates print. Default: the present. */
  now?: Date;
}

const RESERVED_NAMES = [...BUILT_IN_NAMES, "messages", "add_generation_prompt"];

/** A checkpoint's chat template: messages in, the prompt string out. */
export class ChatTemplate {
  /** The template's text; of several, the one for conversations without tools. */
  readonly source: string;
  private readonly sources: ReadonlyMap<string, string>;
  private readonly specialTokens: Readonly<Record<string, string>>;
  private readonly compiled = new Map<string, { program: JinjaProgram; form: ContentForm }>();

  private constructor(sources: ReadonlyMap<string, string>, specialTokens: Readonly<Record<string, string>>) {
    this.sources = sources;
    this.source = sources.get("default") ?? [...sources.values()][0];
    this.specialTokens = specialTokens;
  }

  /** Find the template among a checkpoint's files; undefined when it brings none. */
  static from(sources: TemplateSources): ChatTemplate | undefined {
    const { jinjaFile, tokenizerConfig, chatTemplateJson } = sources;
    const config = tokenizerConfig === undefined ? {} : parseJsonObject(tokenizerConfig, "tokenizer_config.json");
    const tokens = Object.fromEntries(SPECIAL_TOKEN_KEYS.map((key) => [key, specialTokenText(config[key]) ?? ""]));
    const templates =
      readTemplates(jinjaFile, "chat_template.jinja") ??
      readTemplates(config.chat_template, "tokenizer_config.json") ??
      (chatTemplateJson === undefined
        ? undefined
        : readTemplates(parseJsonObject(chatTemplateJson, "chat_template.json").chat_template, "chat_template.json"));
    return templates === undefined ? undefined : new ChatTemplate(templates, tokens);
  }

  /** Render a conversation; encode the result without adding special tokens, since it has its own. */
  render(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    checkMessages(messages);
    checkTemplateOptions(options.templateOptions);
    const context = { ...this.specialTokens, tools: null, documents: null, ...options.templateOptions };
    const { program, form } = this.pick(context.tools);
    const rendered = { ...context, messages: templateMessages(messages, form), add_generation_prompt: options.addGenerationPrompt ?? true };
    const now = options.now ?? new Date();
    try {
      return program.render(rendered, now);
    } catch (error) {
      // Some templates add content to other text, which null cannot be.
      if (!rendered.messages.some((message) => message.content === null)) throw error;
      return program.render({ ...rendered, messages: withoutNullContent(rendered.messages) }, now);
    }
  }

  private pick(tools: unknown): { program: JinjaProgram; form: ContentForm } {
    const name = tools !== null && tools !== undefined && this.sources.has("tool_use") ? "tool_use" : "default";
    const known = this.compiled.get(name);
    if (known !== undefined) return known;
    const source = this.sources.get(name);
    if (source === undefined) {
      throw new HearthError("template", `chat template: expected one named "default", found only ${[...this.sources.keys()].join(", ")}`);
    }
    const program = compileJinja(source, "chat template");
    const compiled = { program, form: findContentForm(program, this.specialTokens) };
    this.compiled.set(name, compiled);
    return compiled;
  }
}

// A checkpoint has one template, or a list of named ones.
function readTemplates(value: unknown, file: string): Map<string, string> | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return new Map([["default", value]]);
  if (!Array.isArray(value)) {
    throw new HearthError("corrupt-checkpoint", `${file}: expected chat_template to be a string or a list, found ${kindOf(value)}`);
  }
  const named = new Map<string, string>();
  for (const entry of value) {
    if (!isObject(entry) || typeof entry.name !== "string" || typeof entry.template !== "string") {
      throw new HearthError("corrupt-checkpoint", `${file}: expected chat_template entries { name, template }, found ${JSON.stringify(entry)}`);
    }
    named.set(entry.name, entry.template);
  }
  return named.size === 0 ? undefined : named;
}

function checkTemplateOptions(options: unknown): void {
  if (options === undefined) return;
  if (!isObject(options)) {
    throw new HearthError("invalid-options", `templateOptions: expected an object, found ${kindOf(options)}`);
  }
  const reserved = Object.keys(options).find((name) => RESERVED_NAMES.includes(name));
  if (reserved === undefined) return;
  throw new HearthError("invalid-options", `templateOptions: the name "${reserved}" belongs to the template itself; use another`);
}

const PROBE = "hearth probe";

// Ask the template rather than its source. Strings are preferred: some templates take parts from the user alone.
function findContentForm(program: JinjaProgram, specialTokens: Readonly<Record<string, string>>): ContentForm {
  const shows = (content: unknown) => {
    const context = { ...specialTokens, tools: null, documents: null, messages: [{ role: "user", content }], add_generation_prompt: true };
    try {
      const text = program.render(context, new Date(0));
      return text.includes(PROBE) && !/["']hearth probe/.test(text); // a quote before it: the list itself was printed
    } catch {
      return false; // a form that the template cannot render is a form that it does not take
    }
  };
  return !shows(PROBE) && shows([{ type: "text", text: PROBE }]) ? "parts" : "text";
}
