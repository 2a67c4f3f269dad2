/** One exchange: what the visitor asked, and what the model answered. */
export interface Turn {
  question: string;
  answer: string;
}

/** A message in the form that chat templates take. */
export interface Message {
  role: "system" | "user" | "assistant";
  content: string;
}

/** What a conversation has to fit into. */
export interface FitLimits {
  contextLength: number;
  /** Tokens to keep free for the answer. */
  reserve: number;
  countTokens: (messages: Message[]) => Promise<number>;
}

/** A conversation that was cut to fit. */
export interface FittedConversation {
  messages: Message[];
  /** The first turn that is still sent. */
  firstTurn: number;
  /** Tokens of the messages; more than the context holds when even the question alone is too long. */
  promptTokens: number;
}

const ROOM_AFTER_CUT = 0.75; // cutting a little deeper keeps the cached prefix valid for several turns

/** Tokens to keep free for an answer: what it may take, but at most a quarter of the context. */
export function answerReserve(maxTokens: number, contextLength: number): number {
  return Math.min(maxTokens, Math.floor(contextLength / 4));
}

/** Leave out the oldest turns, from `firstTurn` on, until the rest and the question fit beside an answer. */
export async function fitConversation(
  systemPrompt: string,
  turns: readonly Turn[],
  question: string,
  firstTurn: number,
  limits: FitLimits,
): Promise<FittedConversation> {
  const limit = limits.contextLength - limits.reserve;
  let first = firstTurn;
  let messages = toMessages(systemPrompt, turns.slice(first), question);
  let promptTokens = await limits.countTokens(messages);
  if (promptTokens <= limit) return { messages, firstTurn: first, promptTokens };
  while (first < turns.length && promptTokens > limit * ROOM_AFTER_CUT) {
    first++;
    messages = toMessages(systemPrompt, turns.slice(first), question);
    promptTokens = await limits.countTokens(messages);
  }
  return { messages, firstTurn: first, promptTokens };
}

/** Put a conversation into the form that chat templates take. Many insist on strict turns, so an unanswered question is left out. */
export function toMessages(systemPrompt: string, turns: readonly Turn[], question: string): Message[] {
  const messages: Message[] = [];
  if (systemPrompt.trim() !== "") messages.push({ role: "system", content: systemPrompt.trim() });
  for (const turn of turns.filter(({ answer }) => answer !== "")) {
    messages.push({ role: "user", content: turn.question }, { role: "assistant", content: turn.answer });
  }
  messages.push({ role: "user", content: question });
  return messages;
}
