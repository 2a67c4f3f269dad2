import { wrap } from "comlink";
import type { Remote } from "comlink";

import type { PromptEncodeOptions, PromptRenderOptions, TextHost } from "../engine/checkpoint_text.ts";
import { HearthError } from "../errors.ts";
import type { ChatMessage } from "../text/chat_template.ts";
import type { TextFacts, TextFiles, TextService } from "../text/text_service.ts";
import { untilAborted } from "./transfer.ts";
// Vite's own import form, as in the supervisor: the text worker is a string inside the engine's worker.
import TextWorker from "./text_worker.ts?worker&inline";

const LOAD_MS = 30_000; // parsing and building what the caps allow; a 150,000-token vocabulary takes one of them
const RUN_MS = 1500; // what a checkpoint's own code may take: real templates and patterns need a few milliseconds
const ENCODE_MS = 60_000; // known patterns are linear, so only the prompt's length can make this long

/** A text worker and its life. */
interface Running {
  worker: Worker;
  remote: Remote<TextService>;
  /** Rejects when the worker fails; never resolves. */
  failed: Promise<never>;
}

/** Start a text worker for these files. What never ends in it costs its worker, not the engine's: the next call gets a new one. */
export async function startText(files: TextFiles): Promise<TextHost> {
  const host = new WorkerTextHost(files);
  return { ...(await host.start()), render: host.render, encode: host.encode, close: host.close };
}

class WorkerTextHost {
  readonly #files: TextFiles;
  #running: Running | undefined;
  #encodeMs = RUN_MS;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(files: TextFiles) {
    this.#files = files;
  }

  async start(): Promise<TextFacts> {
    this.#running = startWorker();
    try {
      await this.#limited(LOAD_MS, "reading tokenizer.json", (remote) => remote.read(this.#files));
      await this.#limited(RUN_MS, "a pattern of tokenizer.json", (remote) => remote.rehearse());
      const facts = await this.#limited(LOAD_MS, "building the tokenizer", (remote) => remote.build());
      this.#encodeMs = facts.hasKnownPatterns ? ENCODE_MS : RUN_MS;
      return facts;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  render = (messages: readonly ChatMessage[], { templateOptions, signal }: PromptRenderOptions): Promise<string> =>
    untilAborted(this.#inTurn(RUN_MS, "the chat template", (remote) => remote.render(messages, templateOptions)), signal);

  encode = (text: string, { addSpecialTokens, signal }: PromptEncodeOptions): Promise<number[]> =>
    untilAborted(this.#inTurn(this.#encodeMs, "the tokenizer", (remote) => remote.encode(text, { addSpecialTokens })), signal);

  close = (): void => {
    this.#running?.worker.terminate();
    this.#running = undefined;
  };

  /** One call at a time, so that a limit measures the call alone, and one that is ended takes no other with it. */
  #inTurn<T>(limitMs: number, subject: string, call: (remote: Remote<TextService>) => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      if (this.#running === undefined) await this.start();
      return this.#limited(limitMs, subject, call);
    });
    this.#turn = result.catch(() => {}); // the caller sees the failure; the next in turn must still run
    return result;
  }

  async #limited<T>(limitMs: number, subject: string, call: (remote: Remote<TextService>) => Promise<T>): Promise<T> {
    if (this.#running === undefined) throw new Error("The text worker is not running");
    const { remote, failed } = this.#running;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const expired = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.close();
        reject(new HearthError("text-limit", `${subject}: expected an end within ${limitMs / 1000} s, found none; it was stopped. Shorten the prompt, or use another model.`));
      }, limitMs);
    });
    try {
      return await Promise.race([call(remote), failed, expired]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function startWorker(): Running {
  const worker = new TextWorker({ name: "hearth-text" });
  const failed = new Promise<never>((_, reject) => {
    worker.onerror = (event) => {
      event.preventDefault(); // it is reported by the rejected call
      worker.terminate();
      reject(new HearthError("worker-failed", `Hearth's text worker failed: ${event.message || "its script may not run"}. Load the model again to go on.`));
    };
  });
  failed.catch(() => {}); // it may fail between two calls; the next one finds out
  return { worker, remote: wrap<TextService>(worker), failed };
}
