// Runs in a page: the boundary between page and worker, without a model.
import { Supervisor } from "../../src/api/supervisor.ts";
import { HearthError, type HearthErrorCode } from "../../src/errors.ts";
import type { GenerationResult, TextChunk } from "../../src/worker/protocol.ts";
import { decodeError, encodeError, pumpGeneration, readGeneration } from "../../src/worker/transfer.ts";
import { blockWorker, breakWorker, withFaultyWorkers, type WorkerEnd } from "./faulty_workers.ts";

const CALLS = 5;
const SILENCE_MS = 2000; // a fifth of the default, so that the test need not wait so long

/** How pending calls ended when their worker did. */
export interface Ending {
  end: WorkerEnd;
  failures: string[];
  settledAfterMs: number;
  endedAfterMs: number;
  next: string;
}

const outcomeOf = (call: Promise<unknown>) => call.then((value) => JSON.stringify(value), (error: unknown) => (error instanceof HearthError ? error.code : String(error)));

/** End a worker in every way there is, with calls pending, and call another one afterwards. */
export async function endWorkers(ends: readonly WorkerEnd[]): Promise<Ending[]> {
  const endings: Ending[] = [];
  for (const end of ends) {
    // A lock that the page holds keeps a worker's call pending for ever.
    await navigator.locks.request("held by the page", async () => {
      await withFaultyWorkers(async (_faults, workers) => {
        const supervisor = new Supervisor(SILENCE_MS);
        await supervisor.call((remote) => remote.listStoredModels()); // it lives
        const neverAnswered = () => supervisor.call((remote) => remote.holdLock("held by the page"));
        const pending = Array.from({ length: CALLS }, () => outcomeOf(end === "loop, watched" ? supervisor.watched(neverAnswered()) : neverAnswered()));
        const ended = performance.now();
        const breaking = breakWorker(end, workers[0], () => supervisor.stop());
        const failures = await Promise.all(pending);
        const settledAfterMs = performance.now() - ended;
        await breaking;
        const endedAfterMs = performance.now() - ended;
        const other = new Supervisor();
        endings.push({ end, failures, settledAfterMs, endedAfterMs, next: await outcomeOf(other.call((remote) => remote.listStoredModels())) });
        await other.stop();
      });
    });
  }
  return endings;
}

/** Call a worker that is busy for a while, with the limit that users have; what came of it. */
export async function callBusyWorker(milliseconds: number): Promise<string> {
  return withFaultyWorkers(async () => {
    const supervisor = new Supervisor();
    await supervisor.call((remote) => remote.listStoredModels());
    await blockWorker(milliseconds);
    const outcome = await outcomeOf(supervisor.watched(supervisor.call((remote) => remote.listStoredModels())));
    await supervisor.stop();
    return outcome;
  });
}

/** Call a worker whose script a Content-Security-Policy forbids. */
export async function callForbiddenWorker() {
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = "worker-src 'none'";
  document.head.append(policy);
  const started = performance.now();
  const call = (async () => new Supervisor().call((remote) => remote.listStoredModels()))();
  const failure = await call.then(() => undefined, (error: unknown) => error as HearthError);
  return { code: failure?.code, message: failure?.message, settledAfterMs: performance.now() - started };
}

const CODES: Record<HearthErrorCode, true> = {
  "no-webgpu": true, "unsupported-checkpoint": true, "corrupt-checkpoint": true, "file-not-found": true, "access-denied": true, network: true, storage: true, "storage-full": true,
  "out-of-memory": true, "device-lost": true, gpu: true, "invalid-options": true, "prompt-too-long": true, template: true, "text-limit": true, busy: true,
  unloaded: true, "worker-failed": true,
};

/** Send an error of every code, and every other kind of error, across a real channel; what came across otherwise. */
export async function sendErrors() {
  const hearth = Object.keys(CODES).map((code) => new HearthError(code as HearthErrorCode, `about ${code}`, { cause: new DOMException("inner", "QuotaExceededError"), details: { askedBytes: 7 } })); // the record's own keys
  const others = [new DOMException("stopped", "AbortError"), new RangeError("far", { cause: "text" }), new GPUValidationError("bad binding"), new GPUOutOfMemoryError("too large")];
  const { port1, port2 } = new MessageChannel();
  const cross = async (error: unknown) => {
    port1.postMessage(encodeError(error));
    return decodeError(await new Promise<ReturnType<typeof encodeError>>((resolve) => (port2.onmessage = ({ data }) => resolve(data))));
  };
  const differences: string[] = [];
  for (const sent of hearth) {
    const received = (await cross(sent)) as HearthError;
    const isSame = received instanceof HearthError && received.code === sent.code && received.message === sent.message && received.retryable === sent.retryable
      && received.details.askedBytes === 7 && received.stack === sent.stack && received.cause instanceof DOMException && received.cause.name === "QuotaExceededError";
    if (!isSame) differences.push(sent.code);
  }
  const received = [];
  for (const sent of others) received.push((await cross(sent)) as Error);
  return { codes: hearth.length, differences, others: received.map((error) => `${error.constructor.name} ${error.name}: ${error.message}${error.cause ? ` (${String(error.cause)})` : ""}`) };
}

const RESULT: GenerationResult = {
  text: "", finishReason: "length", usage: { promptTokens: 1, cachedTokens: 0, completionTokens: 0 },
  timing: { timeToFirstTokenMs: 0, prefillTokensPerSecond: 0, decodeTokensPerSecond: 0, totalMs: 0 },
};

/** Read one chunk of a generation that could go on without end, then wait until it pauses; tokens that were made by then. */
export async function readOneChunk(tokensPerChunk: number): Promise<number> {
  let made = 0;
  async function* generate(signal: AbortSignal): AsyncGenerator<TextChunk, GenerationResult> {
    while (!signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      made += tokensPerChunk;
      yield { text: "", tokenIds: Array.from({ length: tokensPerChunk }, (_, i) => i) };
    }
    return RESULT;
  }
  const { port1, port2 } = new MessageChannel();
  void pumpGeneration(port2, generate);
  const stream = readGeneration(port1, new AbortController().signal);
  await stream.next();
  for (let before = -1; before !== made; await new Promise((resolve) => setTimeout(resolve, 250))) before = made; // until it rests
  await stream.return(RESULT);
  return made - tokensPerChunk; // the first chunk has been read
}
