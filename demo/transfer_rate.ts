const WINDOW_MS = 5000; // smooths over chunk boundaries, still follows a change of network within seconds
const SETTLED_MS = 800; // before this the first burst would promise too much

interface Sample {
  atMs: number;
  bytes: number;
}

/** Speed and remaining time of a transfer, from what the last seconds brought. */
export class TransferRate {
  #samples: Sample[] = [];

  /** Record how many bytes have arrived by `atMs`. A count that falls starts afresh. */
  add(bytes: number, atMs: number): void {
    const last = this.#samples.at(-1);
    if (last && bytes < last.bytes) this.#samples = [];
    this.#samples.push({ atMs, bytes });
    while (this.#samples.length > 2 && atMs - this.#samples[1].atMs >= WINDOW_MS) this.#samples.shift();
  }

  /** Bytes per second, or undefined until enough time has passed to say. */
  get bytesPerSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.atMs - first.atMs < SETTLED_MS) return undefined;
    return ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000;
  }

  /** Seconds until `totalBytes` at the present speed, or undefined when that cannot be said. */
  secondsLeft(totalBytes: number): number | undefined {
    const speed = this.bytesPerSecond;
    const last = this.#samples.at(-1);
    if (!speed || !last) return undefined;
    return (totalBytes - last.bytes) / speed;
  }
}
