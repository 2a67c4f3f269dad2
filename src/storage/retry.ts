/** How often a failing request is repeated, and how long to wait in between. */
export interface RetryPolicy {
  /** Failures in a row after which to give up; every byte that arrives starts the count anew. */
  attempts: number;
  /** The wait doubles from here with every failure. */
  baseDelayMs: number;
  /** How long a server may send nothing. A stalled body never ends by itself: no error, no timeout. */
  stallMs: number;
}

/** Enough to ride out a dropped connection or a restarting server: about eight seconds of waiting at most. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, baseDelayMs: 500, stallMs: 20_000 };

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

/** Wait before attempt `failures + 1`: as long as the server asked, else a random part of a doubling delay. */
export async function waitToRetry(
  interruption: Interruption,
  failures: number,
  policy: RetryPolicy,
  signal?: AbortSignal,
): Promise<void> {
  const doubling = Math.min(MAX_DELAY_MS, policy.baseDelayMs * 2 ** (failures - 1));
  // Random, so that many tabs cut off together do not come back together.
  const delayMs = Math.min(MAX_RETRY_AFTER_MS, interruption.retryAfterMs ?? doubling * Math.random());
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
