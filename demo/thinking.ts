/** A text split into what a reasoning model thought and what it answers. */
export interface SplitAnswer {
  thought: string;
  answer: string;
  /** Whether the model is still thinking at the end of the text. */
  open: boolean;
}

const OPEN = "<think>";
const CLOSE = "</think>";

/** Split off a leading `<think>` block, as Qwen3 and DeepSeek-R1 models write it. */
export function splitThinking(text: string): SplitAnswer {
  const start = text.trimStart();
  if (!start.startsWith(OPEN)) return { thought: "", answer: OPEN.startsWith(start) ? "" : text, open: false };
  const end = start.indexOf(CLOSE);
  if (end < 0) return { thought: start.slice(OPEN.length).trim(), answer: "", open: true };
  const answer = start.slice(end + CLOSE.length).trimStart();
  return { thought: start.slice(OPEN.length, end).trim(), answer, open: false };
}
