// A healthy worker answers between any two awaits: with a processor that plays the GPU, and devices lost and rebuilt, within 0.4 s.
const SILENCE_MS = 10_000;
const BEATS = 10; // how often it is asked in that time

/** What a heartbeat asks, and whom it tells. */
export interface HeartbeatOptions {
  /** Ask the worker for a sign of life. */
  ping(): Promise<void>;
  /** Called once no sign came for too long. */
  onSilence(): void;
  /** For how long nothing may come. */
  silenceMs?: number;
}

/**
 * Finds out that a worker loops without an end, of which no event tells: while someone waits for it, it is asked for a
 * sign of life. Only time counts in which this page itself runs as it should, so that neither a page in the background,
 * nor a machine that slept, nor a busy page takes its worker for dead.
 */
export class Heartbeat {
  readonly #options: Required<HeartbeatOptions>;
  #waiting = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAnswered = true;
  #silentBeats = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = { ...options, silenceMs: options.silenceMs ?? SILENCE_MS };
  }

  /** Settle like `answer`, watching the worker until then. */
  async during<T>(answer: Promise<T>): Promise<T> {
    if (this.#waiting++ === 0 && this.#timer === undefined) {
      this.#silentBeats = 0;
      this.#beat();
    }
    try {
      return await answer;
    } finally {
      this.#waiting--;
    }
  }

  #beat(): void {
    const { silenceMs, ping, onSilence } = this.#options;
    this.#timer = undefined;
    if (this.#waiting === 0) return;
    if (this.#silentBeats === BEATS) return onSilence();
    if (this.#isAnswered) {
      this.#isAnswered = false;
      void ping().then(() => (this.#isAnswered = true));
    }
    const beatMs = silenceMs / BEATS;
    const begun = performance.now();
    this.#timer = setTimeout(() => {
      const ranLate = performance.now() - begun > 1.5 * beatMs;
      const isUnseen = globalThis.document?.visibilityState === "hidden";
      this.#silentBeats = this.#isAnswered || ranLate || isUnseen ? 0 : this.#silentBeats + 1;
      this.#beat();
    }, beatMs);
  }
}
