// Runs in a page: how prompts are cut into submits, and what that changes.
import { Engine } from "../../src/engine/engine.ts";
import { loadModel } from "../../src/engine/load_model.ts";
import { startText } from "../support/text_on_page.ts";

const BUNDLED = "/models/hearth-tiny/";
const TOKENS = 140;

/** Prefill a prompt in chunks of several sizes and several submits; how many logits differ from those of one chunk in any bit. */
export async function differingBits(cuts: readonly { rows: number; submits: number }[]): Promise<number[]> {
  const { device } = await loadModel(BUNDLED, { contextLength: 256 }, { baseUrl: location.href, startText });
  try {
    const { runner } = await device.part();
    const tokenIds = Array.from({ length: TOKENS }, (_, i) => (i * 7919 + 13) % runner.decoder.spec.vocabSize);
    const cut = async ({ rows, submits }: { rows: number; submits: number }) => {
      const lastChunk = Math.floor((TOKENS - 1) / rows) * rows;
      for (let position = 0; position < lastChunk; position += rows) runner.prefill(tokenIds.slice(position, position + rows), position, submits);
      return new Uint32Array((await runner.forwardPrefilled(tokenIds.slice(lastChunk), lastChunk)).buffer);
    };
    const whole = await cut({ rows: 64, submits: 1 });
    const results = [];
    for (const each of cuts) results.push((await cut(each)).filter((bits, i) => bits !== whole[i]).length);
    return results;
  } finally {
    device.destroy();
  }
}

/** Prefill a long prompt, and tell how long each of its submits took. */
export async function submitTimes(words: number): Promise<{ promptTokens: number; submits: number[] }> {
  const engine = await Engine.load(BUNDLED, {}, { baseUrl: location.href, startText });
  const { submit } = GPUQueue.prototype;
  const times: Promise<void>[] = [];
  const submits: number[] = [];
  let lastEnd = 0;
  GPUQueue.prototype.submit = function (buffers) {
    const begin = performance.now();
    submit.call(this, buffers);
    const noteEnd = () => {
      const end = performance.now();
      submits.push(end - Math.max(begin, lastEnd)); // submits run one after another
      lastEnd = end;
    };
    times.push(this.onSubmittedWorkDone().then(noteEnd));
  };
  try {
    const answer = engine.generate("The fox ran to the tree. ".repeat(words / 6), { maxTokens: 2 });
    for (;;) {
      const step = await answer.next();
      if (!step.done) continue;
      await Promise.all(times);
      return { promptTokens: step.value.usage.promptTokens, submits };
    }
  } finally {
    GPUQueue.prototype.submit = submit;
    await engine.unload();
  }
}
