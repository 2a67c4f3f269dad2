/** How often a failing request is repeated, and how long to wait in between. */
export interface RetryPolicy {
  /** Failures in a row after which to give up; every byte that arrives starts the count anew. */
  attempts: number;
  /** The wait doubles from here with every failure. */
  baseDelayMs: number;
  /** How long a server may send nothing. A stalled body never ends by itself: no error, no timeout. */
  stallMs: number;
  /** Over how long it may send next to nothing before that is told as slow. Default: a minute. */
  slowMs?: number;
}

/** Enough to ride out a dropped connection or a restarting server: half a minute of waiting on average. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 8, baseDelayMs: 500, stallMs: 20_000 };

const MAX_DELAY_MS = 30_000; // longer waits look like a hang to the person watching
const MAX_RETRY_AFTER_MS = 300_000; // the Hub counts its rate limits in windows of five minutes

/** A failure that the same request may survive when it is repeated. */
export class Interruption extends Error {
  /** How long the server asked to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options?: { cause?: unknown; retryAfterMs?: number }) {
    super(message, options);
    this.name = "Interruption";
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** How long to wait before attempt `failures + 1`: as long as the server asked, else a random part of a doubling delay. */
export function retryDelayMs({ retryAfterMs }: Interruption, failures: number, { baseDelayMs }: RetryPolicy, random = Math.random): number {
  const doubling = Math.min(MAX_DELAY_MS, baseDelayMs * 2 ** (failures - 1));
  // Random, so that many tabs cut off together do not come back together.
  return Math.min(MAX_RETRY_AFTER_MS, retryAfterMs ?? doubling * random());
}

/** How long an answer asks to wait, by Retry-After (seconds or a date) or by the Hub's RateLimit. */
export function askedDelayMs(headers: Headers, now = Date.now()): number | undefined {
  const retryAfter = headers.get("Retry-After");
  if (retryAfter !== null && /^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
  if (retryAfter !== null && !Number.isNaN(Date.parse(retryAfter))) return Math.max(0, Date.parse(retryAfter) - now);
  const windowEnd = /;\s*t=(\d+)/.exec(headers.get("RateLimit") ?? "");
  return windowEnd === null ? undefined : Number(windowEnd[1]) * 1000;
}

/** A controller that also aborts with a signal. */
export function controllerUnder(signal: AbortSignal | undefined): AbortController {
  const controller = new AbortController();
  if (signal?.aborted) controller.abort(signal.reason);
  signal?.addEventListener("abort", () => controller.abort(signal.reason), { once: true, signal: controller.signal });
  return controller;
}

/** Resolve after a time, or reject with the signal's reason as soon as it aborts. */
export async function wait(delayMs: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(finish, delayMs);
    signal?.addEventListener("abort", stop, { once: true });
    function finish() {
      signal?.removeEventListener("abort", stop);
      resolve();
    }
    function stop() {
      clearTimeout(timer);
      reject(signal?.reason);
    }
    if (signal?.aborted) stop();
  });
}
