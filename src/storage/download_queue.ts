import type { Download } from "./download.ts";

// Two hide the latency of opening the next file; each holds two chunks in memory.
const PARALLEL = 2;

/** Starts the downloads of a checkpoint's files: the one that is being read, and the ones after it. */
export class DownloadQueue {
  readonly #order: Download[] = [];
  readonly #running = new Set<Download>();
  /** The file being read; those before it are not fetched ahead. */
  #current = 0;

  /** Add a file, in the order in which files will be read. */
  add(download: Download): void {
    this.#order.push(download);
  }

  /** Bring a file into the store whole, and the next ones behind it. */
  run(download: Download, firstChunk = 0): Promise<void> {
    this.#current = this.#order.indexOf(download);
    const whole = this.#start(download, firstChunk);
    this.#startNext();
    return whole;
  }

  /** End every request; stored chunks are kept. */
  stop(reason?: unknown): void {
    for (const download of [...this.#running]) download.stop(reason);
    this.#running.clear();
  }

  #start(download: Download, firstChunk: number): Promise<void> {
    const whole = download.run(firstChunk);
    if (this.#running.has(download)) return whole;
    this.#running.add(download);
    whole.then(() => this.#startNext(download), () => this.#running.delete(download));
    return whole;
  }

  #startNext(finished?: Download): void {
    if (finished && !this.#running.delete(finished)) return; // it was stopped, with all others
    for (const download of this.#order.slice(this.#current)) {
      if (this.#running.size >= PARALLEL) return;
      if (!download.isSettled && !this.#running.has(download)) void this.#start(download, 0).catch(() => {}); // told to whoever reads it
    }
  }
}
