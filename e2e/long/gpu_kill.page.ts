// Runs in a page: an answer of the bundled model while the browser's GPU process is killed.
import { loadModel, type LanguageModel } from "../../src/index.ts";

declare global {
  interface Window {
    /** Kill the browser's GPU process, by the spec. */
    killGpuProcess(): Promise<void>;
  }
}

const TOKENS = 40;

async function answer(model: LanguageModel, onToken: (count: number) => Promise<void>): Promise<{ text: string; streamed: string }> {
  let streamed = "";
  let tokens = 0;
  const stream = model.stream("Once upon a time", { maxTokens: TOKENS });
  for (;;) {
    const step = await stream.next();
    if (step.done) return { text: step.value.text, streamed };
    streamed += step.value.text;
    tokens += step.value.tokenIds.length;
    await onToken(tokens);
  }
}

/** Answer once undisturbed, and once with the GPU process killed after some tokens. */
export async function killInAnswer() {
  await using model = await loadModel("/models/hearth-tiny/");
  const whole = await answer(model, async () => {});
  let killedAfter: number | undefined;
  const started = performance.now();
  const { text, streamed } = await answer(model, async (tokens) => {
    if (tokens < 7 || killedAfter !== undefined) return;
    killedAfter = tokens;
    await window.killGpuProcess();
  });
  return { expected: whole.text, text, streamed, killedAfter, ms: performance.now() - started };
}
