import type { SettingsStore } from "./settings.ts";

const KEY = "hearth-chat-unfinished-loads";
const TRIES = 2;

/**
 * Remembers loads that came to no end. Phones end a page that takes too much memory without a word, and a page that
 * loads its model by itself would be ended at every visit.
 */
export class LoadGuard {
  readonly #store: SettingsStore;

  constructor(store: SettingsStore) {
    this.#store = store;
  }

  /** Whether the page may load a model without being asked: not after two loads in a row that never ended. */
  get mayLoadUnasked(): boolean {
    return this.#unfinished < TRIES;
  }

  /** Note that a load begins. */
  begin(): void {
    this.#write(this.#unfinished + 1);
  }

  /** Note that it ended, well or not, or that the visitor left of their own accord. */
  end(): void {
    this.#write(0);
  }

  get #unfinished(): number {
    return Number(this.#store?.getItem(KEY)) || 0; // whatever else is stored there counts as nothing
  }

  #write(count: number): void {
    try {
      this.#store?.setItem(KEY, String(count));
    } catch (error) {
      console.warn("The state of the load could not be stored.", error);
    }
  }
}
