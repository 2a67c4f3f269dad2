import type { ChatMessage, GenerateOptions, LanguageModel } from "../src/index.ts";
import { count, formatMilliseconds, formatRate } from "./format.ts";

/** How an answer went, by the engine's own clock, or by the page's when it was stopped. */
export interface AnswerReport {
  text: string;
  ended: "stop" | "length" | "stopped";
  promptTokens?: number;
  cachedTokens?: number;
  completionTokens: number;
  timeToFirstTokenMs?: number;
  tokensPerSecond?: number;
}

/** Stream an answer, handing over the whole text so far at every chunk. A stop is an ending like any other, not an error. */
export async function streamAnswer(
  model: LanguageModel,
  messages: readonly ChatMessage[],
  options: GenerateOptions & { signal: AbortSignal },
  onText: (text: string) => void,
): Promise<AnswerReport> {
  const started = performance.now();
  let firstAt: number | undefined;
  let text = "";
  let tokens = 0;
  try {
    const chunks = model.stream(messages, options);
    let step = await chunks.next();
    while (!step.done) {
      firstAt ??= performance.now();
      tokens += step.value.tokenIds.length;
      text += step.value.text;
      onText(text);
      step = await chunks.next();
    }
    const { finishReason, usage, timing } = step.value;
    return {
      text: step.value.text,
      ended: finishReason,
      ...usage,
      timeToFirstTokenMs: timing.timeToFirstTokenMs,
      tokensPerSecond: timing.decodeTokensPerSecond,
    };
  } catch (error) {
    if (!options.signal.aborted) throw error;
    return { text, ended: "stopped", completionTokens: tokens, ...pageTiming(started, firstAt, tokens) };
  }
}

function pageTiming(started: number, firstAt: number | undefined, tokens: number): Partial<AnswerReport> {
  if (firstAt === undefined) return {};
  const timeToFirstTokenMs = firstAt - started;
  if (tokens < 2) return { timeToFirstTokenMs };
  return { timeToFirstTokenMs, tokensPerSecond: ((tokens - 1) * 1000) / (performance.now() - firstAt) };
}

/** The facts under an answer, in reading order. */
export function reportFacts(report: AnswerReport): string[] {
  const facts: string[] = [];
  if (report.tokensPerSecond && report.completionTokens > 1) facts.push(`${formatRate(report.tokensPerSecond)} tokens/s`);
  if (report.timeToFirstTokenMs !== undefined) facts.push(`first token in ${formatMilliseconds(report.timeToFirstTokenMs)}`);
  facts.push(`${count(report.completionTokens, "token")} out`);
  if (report.promptTokens !== undefined) {
    const cached = report.cachedTokens ? ` (${report.cachedTokens.toLocaleString("en")} cached)` : "";
    facts.push(`${report.promptTokens.toLocaleString("en")} in${cached}`);
  }
  if (report.ended === "stopped") facts.push("stopped");
  if (report.ended === "length") facts.push("reached the token limit");
  return facts;
}
