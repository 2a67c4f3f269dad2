// While a submit runs, no page can draw, and drivers reset a GPU whose submit takes seconds. None is to take over 50 ms; but each
// chunk of a prompt takes longer than the one before it, by which it is cut, and its parts differ: cut for 50, they took up to 57.
const SUBMIT_MS = 40;
const CHUNK_MS = 500; // an abort waits for the chunk that runs
const ROW_STEP = 64; // a whole page of the cache, and of both tiles

/**
 * Finds out how many rows of a prompt to compute at once, and in how many submits, from the time that chunks took. How
 * a prompt is cut does not change what is computed for a row.
 */
export class PrefillPace {
  readonly #maxRows: number;
  readonly #cautiousSubmits: number;
  #msPerRow: number | undefined;

  /** At most `maxRows` rows at once; before anything is known, few, in a submit for each of `layers`. */
  constructor(maxRows: number, layers: number) {
    this.#maxRows = maxRows;
    this.#cautiousSubmits = layers;
  }

  /** Rows of the next chunk. */
  get rows(): number {
    if (this.#msPerRow === undefined) return Math.min(ROW_STEP, this.#maxRows);
    const rows = Math.floor(CHUNK_MS / this.#msPerRow / ROW_STEP) * ROW_STEP;
    return Math.min(this.#maxRows, Math.max(ROW_STEP, rows));
  }

  /** Submits into which a chunk of so many rows is cut. */
  submitsFor(rows: number): number {
    if (this.#msPerRow === undefined) return this.#cautiousSubmits;
    return Math.ceil((rows * this.#msPerRow) / SUBMIT_MS);
  }

  /** Note how long a chunk took from submit to end. */
  note(rows: number, milliseconds: number): void {
    if (rows >= ROW_STEP) this.#msPerRow = milliseconds / rows; // a narrow chunk takes as long as a wider one would
  }
}
