import { loadModel } from "../src/index.ts";
import type { LanguageModel, LoadProgress } from "../src/index.ts";
import { isBundled } from "./catalogue.ts";

/** Where a model comes from: a Hub id, a URL, or picked files. */
export type Source = string | readonly File[];

/** What the slot holds. */
export type SlotState =
  | { phase: "empty" }
  | { phase: "loading"; source: Source; progress?: LoadProgress }
  | { phase: "ready"; source: Source; model: LanguageModel }
  | { phase: "failed"; source: Source; error: unknown };

/** Holds at most one model, so that two never share the graphics card's memory. */
export class ModelSlot {
  state: SlotState = { phase: "empty" };
  #controller = new AbortController();
  #queue: Promise<void> = Promise.resolve();
  #token: string | undefined;
  readonly #onChange: (state: SlotState) => void;

  constructor(onChange: (state: SlotState) => void) {
    this.#onChange = onChange;
  }

  /** The model, when it is ready. */
  get model(): LanguageModel | undefined {
    return this.state.phase === "ready" ? this.state.model : undefined;
  }

  /** Replace whatever is loaded or loading; a model that cannot be kept in this browser is an error unless `unkept`. Resolves when this load ended, well or not; the state says how. */
  load(source: Source, token?: string, unkept = false): Promise<void> {
    this.#controller.abort();
    const controller = new AbortController();
    this.#controller = controller;
    this.#token = token;
    // What comes with the page is small; whether another is worth loading although it cannot be kept is the visitor's choice.
    const store = unkept || isBundled(source) ? "preferred" : "required";
    this.#queue = this.#queue.then(() => this.#run(source, store, controller.signal));
    return this.#queue;
  }

  /** Load the last source again, if need be without keeping it. */
  reload(unkept = false): Promise<void> {
    if (this.state.phase === "empty") return Promise.resolve();
    return this.load(this.state.source, this.#token, unkept);
  }

  /** Give up a running load. */
  cancel(): void {
    this.#controller.abort();
  }

  async #run(source: Source, store: "preferred" | "required", signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const previous = this.model;
    this.#set({ phase: "loading", source });
    try {
      await previous?.unload();
      const onProgress = (progress: LoadProgress): void => {
        if (!signal.aborted) this.#set({ phase: "loading", source, progress });
      };
      const { model: wanted, revision } = splitRevision(source);
      const model = await loadModel(wanted, { store, signal, onProgress, ...(revision && { revision }), ...(this.#token && { token: this.#token }) });
      if (signal.aborted) await model.unload();
      this.#set(signal.aborted ? { phase: "empty" } : { phase: "ready", source, model });
    } catch (error) {
      this.#set(signal.aborted ? { phase: "empty" } : { phase: "failed", source, error });
    }
  }

  #set(state: SlotState): void {
    this.state = state;
    this.#onChange(state);
  }
}

/** Split "org/name@revision", the form in which stored models are listed. */
function splitRevision(source: Source): { model: Source; revision?: string } {
  const parts = typeof source === "string" ? /^([\w.-]+\/[\w.-]+)@(.+)$/.exec(source) : null;
  return parts ? { model: parts[1], revision: parts[2] } : { model: source };
}
