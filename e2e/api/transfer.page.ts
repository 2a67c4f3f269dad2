// Runs in a page: both ends of the thread boundary on one channel, with a counting generator in place of the engine.
import { HearthError } from "../../src/errors.ts";
import type { GenerationResult, TextChunk } from "../../src/worker/protocol.ts";
import { decodeError, encodeError, pumpGeneration, readGeneration, untilAborted } from "../../src/worker/transfer.ts";
import { Turnstile } from "../../src/worker/turnstile.ts";

const RESULT: GenerationResult = {
  text: "",
  finishReason: "length",
  usage: { promptTokens: 1, cachedTokens: 0, completionTokens: 0 },
  timing: { timeToFirstTokenMs: 0, prefillTokensPerSecond: 0, decodeTokensPerSecond: 0, totalMs: 0 },
};
const never = new AbortController().signal;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

interface Counter {
  made: number;
  ended: boolean;
  aborted: boolean;
}

/** Start a counting generation and return the page's end of it, with what the worker's end has done so far. */
function count(upTo: number, signal: AbortSignal): { stream: AsyncGenerator<TextChunk, GenerationResult>; counter: Counter } {
  const counter = { made: 0, ended: false, aborted: false };
  async function* generate(abort: AbortSignal): AsyncGenerator<TextChunk, GenerationResult> {
    try {
      while (counter.made < upTo) {
        await pause(0); // like the GPU, it lets messages in
        abort.throwIfAborted();
        counter.made++;
        yield { text: `${counter.made} `, tokenIds: [counter.made] };
      }
      return RESULT;
    } finally {
      counter.aborted = abort.aborted;
      counter.ended = true;
    }
  }
  const { port1, port2 } = new MessageChannel();
  void pumpGeneration(port2, generate);
  return { stream: readGeneration(port1, signal), counter };
}

/** Read a whole generation. */
export async function readAll(upTo: number) {
  const { stream, counter } = count(upTo, never);
  let text = "";
  for (;;) {
    const step = await stream.next();
    if (step.done) return { text, finishReason: step.value.finishReason, counter };
    text += step.value.text;
  }
}

/** Read one chunk, then nothing for a while, then one more. */
export async function readSlowly() {
  const { stream, counter } = count(1000, never);
  await stream.next();
  await pause(600);
  const madeWhilePaused = counter.made;
  await stream.next();
  await stream.return(RESULT);
  await pause(100);
  return { madeWhilePaused, counter };
}

/** Leave the loop in the middle. */
export async function leaveLoop() {
  const { stream, counter } = count(1000, never);
  for await (const chunk of stream) if (chunk.tokenIds[0] === 5) break;
  await pause(100);
  return counter;
}

/** Abort while the reader waits for the next chunk. */
export async function abortMidway() {
  const controller = new AbortController();
  const { stream, counter } = count(1000, controller.signal);
  const failure = (async () => {
    for await (const chunk of stream) if (chunk.tokenIds[0] === 5) controller.abort();
  })().catch((error: unknown) => error);
  const error = await failure;
  await pause(100);
  return { isReason: error === controller.signal.reason, name: (error as DOMException).name, counter };
}

/** Send one error of every kind across a real channel. */
export async function roundTripErrors() {
  const sent = [
    new HearthError("corrupt-checkpoint", "model: expected 4, found 3", { cause: new RangeError("inner", { cause: "innermost" }) }),
    new DOMException("stopped", "AbortError"),
    new TypeError("not a function"),
    "a string",
  ];
  const received: unknown[] = [];
  const { port1, port2 } = new MessageChannel();
  for (const error of sent) {
    port1.postMessage(encodeError(error));
    const wire = await new Promise((resolve) => (port2.onmessage = ({ data }) => resolve(data)));
    received.push(decodeError(wire as ReturnType<typeof encodeError>));
  }
  const [hearth, abort, type, text] = received as [HearthError, DOMException, TypeError, string];
  const cause = hearth.cause as RangeError;
  return {
    hearth: [hearth instanceof HearthError, hearth.code, hearth.message, hearth.stack === (sent[0] as Error).stack],
    cause: [cause instanceof RangeError, cause.message, cause.cause],
    abort: [abort instanceof DOMException, abort.name, abort.message],
    type: [type instanceof TypeError, type.name, type.message],
    text,
  };
}

/** Five callers through a turnstile that lets two wait; the second gives up. */
export async function queue() {
  const turnstile = new Turnstile(2);
  const order: string[] = [];
  const impatience = new AbortController();
  const visit = async (name: string, signal: AbortSignal) => {
    try {
      const leave = await turnstile.enter(signal);
      await pause(20);
      order.push(name);
      leave();
      leave(); // leaving twice admits no second caller
    } catch (error) {
      order.push(`${name}: ${error instanceof HearthError ? error.code : (error as DOMException).name}`);
    }
  };
  const visits = [visit("first", never), visit("second", impatience.signal), visit("third", never), visit("too many", never)];
  await pause(5);
  impatience.abort();
  visits.push(visit("fourth", never));
  await untilAborted(Promise.all(visits), AbortSignal.timeout(5000));
  return order;
}
