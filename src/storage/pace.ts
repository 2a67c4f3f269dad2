const SLOW_BYTES_PER_SECOND = 8000; // a small model would take days

/** Tells whether a server sends next to nothing, by the time spent waiting for it: a slow reader does not count. */
export class Pace {
  readonly #windowMs: number;
  readonly #onChange: () => void;
  #waitedMs = 0;
  #receivedBytes = 0;
  #isSlow = false;

  /** `onChange` hears when the server becomes slow, and when it no longer is. */
  constructor(windowMs: number, onChange: () => void) {
    this.#windowMs = windowMs;
    this.#onChange = onChange;
  }

  /** Whether the last full window brought fewer than 8 kB a second. */
  get isSlow(): boolean {
    return this.#isSlow;
  }

  /** Note what a wait brought. A window ends with enough bytes or with its time, whichever is first. */
  note(waitedMs: number, receivedBytes: number): void {
    this.#waitedMs += waitedMs;
    this.#receivedBytes += receivedBytes;
    const isEnough = this.#receivedBytes * 1000 >= SLOW_BYTES_PER_SECOND * this.#windowMs;
    if (!isEnough && this.#waitedMs < this.#windowMs) return;
    this.#waitedMs = 0;
    this.#receivedBytes = 0;
    if (this.#isSlow === !isEnough) return;
    this.#isSlow = !isEnough;
    this.#onChange();
  }
}
