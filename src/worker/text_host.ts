import { wrap } from "comlink";
import type { Remote } from "comlink";

import type { PromptEncodeOptions, PromptRenderOptions, TextHost } from "../engine/checkpoint_text.ts";
import { HearthError } from "../errors.ts";
import type { ChatMessage } from "../text/chat_template.ts";
import type { TextFacts, TextFiles, TextService } from "../text/text_service.ts";
import type { SpawnMessage } from "./protocol.ts";
import { untilAborted } from "./transfer.ts";

const LOAD_MS = 30_000; // parsing and building what the caps allow; a 150,000-token vocabulary takes one of them
const RUN_MS = 1500; // what a checkpoint's own code may take: real templates and patterns need a few milliseconds
const ENCODE_MS = 60_000; // known patterns are linear, so only the prompt's length can make this long

/** A text worker and its life. */
interface Running {
  remote: Remote<TextService>;
  /** Rejects when the worker ends, with the reason; never resolves. */
  ended: Promise<never>;
  end(reason: HearthError): void;
}

/** What starts a text worker for given files. What never ends in it costs its worker, not the engine's: the next call gets a new one. */
export function textStarter(spawner: MessagePort): (files: TextFiles) => Promise<TextHost> {
  return async (files) => {
    const host = new WorkerTextHost(files, spawner);
    return { ...(await host.start()), render: host.render, encode: host.encode, close: host.close };
  };
}

class WorkerTextHost {
  readonly #files: TextFiles;
  readonly #spawner: MessagePort;
  #running: Running | undefined;
  #isClosed = false;
  #encodeMs = RUN_MS;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(files: TextFiles, spawner: MessagePort) {
    this.#files = files;
    this.#spawner = spawner;
  }

  async start(): Promise<TextFacts> {
    const running = startWorker(this.#spawner);
    this.#running = running;
    running.ended.catch(() => (this.#running = undefined)); // whoever waits for an answer is told; the next call starts anew
    try {
      await limited(running, LOAD_MS, "reading tokenizer.json", (remote) => remote.read(this.#files));
      await limited(running, RUN_MS, "a pattern of tokenizer.json", (remote) => remote.rehearse());
      const facts = await limited(running, LOAD_MS, "building the tokenizer", (remote) => remote.build());
      this.#encodeMs = facts.hasKnownPatterns ? ENCODE_MS : RUN_MS;
      return facts;
    } catch (error) {
      running.end(unloaded());
      throw error;
    }
  }

  render = (messages: readonly ChatMessage[], { templateOptions, signal }: PromptRenderOptions): Promise<string> =>
    untilAborted(this.#inTurn(RUN_MS, "the chat template", (remote) => remote.render(messages, templateOptions)), signal);

  encode = (text: string, { addSpecialTokens, signal }: PromptEncodeOptions): Promise<number[]> =>
    untilAborted(this.#inTurn(this.#encodeMs, "the tokenizer", (remote) => remote.encode(text, { addSpecialTokens })), signal);

  close = (): void => {
    this.#isClosed = true;
    this.#running?.end(unloaded());
  };

  /** One call at a time, so that a limit measures the call alone, and one that is ended takes no other with it. */
  #inTurn<T>(limitMs: number, subject: string, call: (remote: Remote<TextService>) => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      if (this.#isClosed) throw unloaded();
      if (this.#running === undefined) await this.start();
      if (this.#running === undefined) throw unloaded(); // closed in the meantime
      return limited(this.#running, limitMs, subject, call);
    });
    this.#turn = result.catch(() => {}); // the caller sees the failure; the next in turn must still run
    return result;
  }
}

async function limited<T>(running: Running, limitMs: number, subject: string, call: (remote: Remote<TextService>) => Promise<T>): Promise<T> {
  const { remote, ended, end } = running;
  const timer = setTimeout(() => {
    end(new HearthError("text-limit", `${subject}: expected an end within ${limitMs / 1000} s, found none; it was stopped. Shorten the prompt, or use another model.`));
  }, limitMs);
  try {
    return await Promise.race([call(remote), ended]);
  } finally {
    clearTimeout(timer);
  }
}

function startWorker(spawner: MessagePort): Running {
  const service = new MessageChannel();
  const control = new MessageChannel();
  let end: Running["end"] = () => {};
  const ended = new Promise<never>((_, reject) => {
    end = (reason) => {
      control.port1.postMessage("end");
      reject(reason);
    };
    control.port1.onmessage = ({ data }: MessageEvent<string>) => {
      end(new HearthError("worker-failed", `Hearth's text worker failed: ${data}. Ask again, or load the model again.`));
    };
  });
  const ports = { service: service.port2, control: control.port2 } satisfies SpawnMessage;
  spawner.postMessage(ports, Object.values(ports));
  return { remote: wrap<TextService>(service.port1), ended, end };
}

function unloaded(): HearthError {
  return new HearthError("unloaded", "The model was unloaded. Load it again to use it.");
}
