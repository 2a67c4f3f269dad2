import { wrap } from "comlink";
import type { Remote } from "comlink";

import { HearthError } from "../errors.ts";
import type { WorkerApi } from "../worker/protocol.ts";
import { installErrorTransfer, untilAborted } from "../worker/transfer.ts";
// Vite's own import form: a module worker in development, and in the build a string inside the one file that a page loads.
import EngineWorker from "../worker/worker.ts?worker&inline";
import { Heartbeat } from "./heartbeat.ts";
import { openTextSpawner, type TextSpawner } from "./text_spawner.ts";

const GOODBYE_MS = 5000; // a healthy worker finishes its step and frees its buffers in far less; a stuck one is ended anyway

/** One worker and the certainty that every call to it settles: Comlink alone leaves calls pending when a worker dies. */
export class Supervisor {
  readonly remote: Remote<WorkerApi>;
  readonly #worker: Worker;
  readonly #texts: TextSpawner = openTextSpawner();
  readonly #heartbeat: Heartbeat;
  readonly #end = new AbortController();
  #stopped: Promise<void> | undefined;

  /** `silenceMs` is for how long a worker may give no sign of life while it is watched. */
  constructor(silenceMs?: number) {
    installErrorTransfer();
    const name = `hearth-${crypto.randomUUID()}`;
    this.#worker = startWorker(name);
    this.#worker.onerror = (event) => {
      event.preventDefault(); // it is reported by the rejected calls
      this.#fail(event.message || NOT_STARTED);
    };
    this.#worker.onmessageerror = () => this.#fail("a message from the worker could not be read");
    this.remote = wrap<WorkerApi>(this.#worker);
    this.#heartbeat = new Heartbeat({
      ping: () => this.remote.ping(),
      onSilence: () => this.#fail("it gave no sign of life, as if in a loop without an end"),
      silenceMs,
    });
    void this.#watch(name);
  }

  /** For the worker, which has text workers started through it. */
  get textSpawner(): MessagePort {
    return this.#texts.port;
  }

  /** Aborts when the worker is gone; the reason is the error with which to reject. */
  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** Whether the worker died of itself, so that another may take its place. */
  get hasFailed(): boolean {
    return this.signal.aborted && this.signal.reason instanceof HearthError && this.signal.reason.code === "worker-failed";
  }

  /** Make a call that settles even if the worker dies. */
  async call<T>(call: (remote: Remote<WorkerApi>) => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    try {
      return await untilAborted(call(this.remote), this.signal);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "DataCloneError")) throw error;
      const message = "The arguments hold something that cannot be sent to the worker, such as a function. Pass plain data.";
      throw new HearthError("invalid-options", message, { cause: error });
    }
  }

  /**
   * Settle like `answer`, and end the worker if it loops meanwhile. For a loaded model's answers alone: a load may work
   * for long without a pause, and can be aborted by whoever waits for it.
   */
  watched<T>(answer: Promise<T>): Promise<T> {
    return this.#heartbeat.during(answer);
  }

  /** Reject everything pending and end the worker, after it had a moment to release the GPU. */
  stop(): Promise<void> {
    this.#stopped ??= this.#sayGoodbye();
    return this.#stopped;
  }

  async #sayGoodbye(): Promise<void> {
    if (this.signal.aborted) return; // it died earlier
    const unloading = this.remote.unload();
    this.#end.abort(new HearthError("unloaded", "The model was unloaded. Load it again to use it."));
    try {
      await untilAborted(unloading, AbortSignal.timeout(GOODBYE_MS));
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "TimeoutError")) throw error;
    } finally {
      this.#terminate();
    }
  }

  // No event tells of a worker that closed itself or was ended from outside, but its Web Lock becomes free.
  async #watch(name: string): Promise<void> {
    try {
      await this.call((remote) => remote.holdLock(name));
      await navigator.locks.request(name, { signal: this.signal }, () => this.#fail("it ended without an error"));
    } catch (error) {
      if (this.signal.aborted) return; // the end came some other way
      this.#fail("its life could not be watched", error);
    }
  }

  #fail(finding: string, cause?: unknown): void {
    this.#end.abort(workerFailed(finding, cause));
    this.#terminate(); // after an uncaught error its state cannot be trusted
  }

  #terminate(): void {
    this.#worker.terminate();
    this.#texts.close();
  }
}

/** Make one call in a worker of its own; a worker without a model costs a few milliseconds. */
export async function inShortLivedWorker<T>(call: (remote: Remote<WorkerApi>) => Promise<T>): Promise<T> {
  const supervisor = new Supervisor();
  try {
    return await supervisor.call(call);
  } finally {
    await supervisor.stop();
  }
}

const NOT_STARTED = "its script was not fetched or may not run (a Content-Security-Policy must allow worker-src blob:; where it requires Trusted Types, a policy named default must let blob: script URLs pass)";

function startWorker(name: string): Worker {
  try {
    return new EngineWorker({ name });
  } catch (error) {
    throw workerFailed(NOT_STARTED, error);
  }
}

function workerFailed(finding: string, cause?: unknown): HearthError {
  return new HearthError("worker-failed", `Hearth's worker failed: ${finding}. Ask again, and another is started. Load the model again if that does not help.`, { cause });
}
