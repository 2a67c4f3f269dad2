import { HearthError } from "../errors.ts";

/** Lets callers through one at a time, in order of arrival. */
export class Turnstile {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>(); // a set keeps the order and lets anyone leave it
  #occupied = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Wait for one's turn, which lasts until the returned function is called. An abort gives up the place. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (!this.#occupied) return this.#admit();
    if (this.#waiting.size >= this.#limit) {
      throw new HearthError(
        "busy",
        `The model answers one call at a time, and ${this.#limit} others already wait. Await some of them before asking again.`,
      );
    }
    return new Promise((resolve, reject) => {
      const take = () => {
        signal.removeEventListener("abort", leave);
        resolve(this.#admit());
      };
      const leave = () => {
        this.#waiting.delete(take);
        reject(signal.reason);
      };
      this.#waiting.add(take);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  #admit(): () => void {
    this.#occupied = true;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#occupied = false;
      const [next] = this.#waiting;
      if (!next) return;
      this.#waiting.delete(next);
      next();
    };
  }
}
