import { HearthError } from "../errors.ts";
import { isObject, kindOf } from "./tokenizer_config.ts";

/** One piece of a message's content; only text is supported. */
export interface TextPart {
  type: "text";
  text: string;
}

/** A call of a tool by the assistant, in the form of the OpenAI API. */
export interface ToolCall {
  id?: string;
  type?: "function";
  /** The arguments, as an object or as the JSON text of one. */
  function: { name: string; arguments: string | Readonly<Record<string, unknown>> };
}

/** One message of a conversation, in the form of the OpenAI API. */
export interface ChatMessage {
  /** "system", "user", "assistant", "tool", or what else the model's template knows. */
  role: string;
  /** The text; null where an assistant only calls tools. */
  content: string | readonly TextPart[] | null;
  name?: string;
  tool_calls?: readonly ToolCall[];
  tool_call_id?: string;
  /** The assistant's thinking before this answer, for templates that repeat it. */
  reasoning_content?: string;
}

/** How a template wants a message's content: as one string, or as a list of parts. */
export type ContentForm = "text" | "parts";

/** Check what a caller passed as messages. */
export function checkMessages(messages: unknown): asserts messages is readonly ChatMessage[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    const found = Array.isArray(messages) ? "an empty one" : kindOf(messages);
    throw new HearthError("invalid-options", `messages: expected an array of at least one { role, content }, found ${found}`);
  }
  messages.forEach((message: unknown, i) => checkMessage(message, `messages[${i}]`));
}

function checkMessage(message: unknown, subject: string): void {
  if (!isObject(message)) throw new HearthError("invalid-options", `${subject}: expected { role, content }, found ${kindOf(message)}`);
  const { role, content } = message;
  if (typeof role !== "string" || role === "") {
    throw new HearthError("invalid-options", `${subject}.role: expected a string such as "user", found ${role === "" ? "an empty one" : kindOf(role)}`);
  }
  if (message.tool_calls !== undefined && !Array.isArray(message.tool_calls)) {
    throw new HearthError("invalid-options", `${subject}.tool_calls: expected an array, found ${kindOf(message.tool_calls)}`);
  }
  if (typeof content === "string" || content === null) return;
  if (content === undefined && message.tool_calls !== undefined) return;
  if (!Array.isArray(content)) {
    throw new HearthError("invalid-options", `${subject}.content: expected a string, an array of text parts or null, found ${kindOf(content)}`);
  }
  const other = content.find((part) => !isObject(part) || part.type !== "text" || typeof part.text !== "string");
  if (other === undefined) return;
  const found = isObject(other) ? `type ${JSON.stringify(other.type)}` : kindOf(other);
  throw new HearthError("invalid-options", `${subject}.content: expected parts { type: "text", text }, found ${found}; only text is supported`);
}

/** Rewrite checked messages in the form that chat templates read. */
export function templateMessages(messages: readonly ChatMessage[], form: ContentForm): Record<string, unknown>[] {
  return messages.map((message) => {
    const rewritten = { ...message, content: inForm(message.content, form), tool_calls: message.tool_calls?.map(withParsedArguments) };
    // Templates ask `'tool_calls' in message`, so a key without a value must go.
    return Object.fromEntries(Object.entries(rewritten).filter(([, value]) => value !== undefined));
  });
}

/** Replace null contents by "", for templates that cannot read null. */
export function withoutNullContent(messages: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  return messages.map((message) => (message.content === null ? { ...message, content: "" } : message));
}

function inForm(content: ChatMessage["content"] | undefined, form: ContentForm): unknown {
  if (typeof content === "string") return form === "parts" ? [{ type: "text", text: content }] : content;
  if (!Array.isArray(content)) return content;
  return form === "text" ? content.map((part: TextPart) => part.text).join("") : content;
}

// Templates print the arguments as JSON themselves; a string would come out quoted twice.
function withParsedArguments(call: ToolCall): ToolCall {
  const given = call.function?.arguments;
  if (typeof given !== "string") return call;
  try {
    const parsed: unknown = JSON.parse(given);
    return isObject(parsed) ? { ...call, function: { ...call.function, arguments: parsed } } : call;
  } catch {
    return call; // Arguments are the model's own words: broken JSON goes back as it was written.
  }
}
