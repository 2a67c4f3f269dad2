import type { LanguageModel } from "../src/index.ts";
import { reportFacts, streamAnswer } from "./answer.ts";
import type { AnswerReport } from "./answer.ts";
import { answerReserve, fitConversation } from "./conversation.ts";
import type { FittedConversation, Turn } from "./conversation.ts";
import { count, formatRate } from "./format.ts";
import { describeProblem } from "./problem.ts";
import type { Problem, Remedy } from "./problem.ts";
import type { ChatSettings } from "./settings.ts";
import { splitThinking } from "./thinking.ts";
import { turnView } from "./turn_view.ts";
import type { TurnView } from "./turn_view.ts";

// The bundled model's generation_config.json asks for these, and they suit other small models: they cut off the unlikely tail.
const TOP_K = 40;
const TOP_P = 0.95;

/** What a dialogue needs from the page. */
export interface DialogueHost {
  container: HTMLElement;
  model(): LanguageModel | undefined;
  settings(): ChatSettings;
  onBusy(busy: "answering" | "idle"): void;
  /** Resolves when the remedy took effect, or failed to. */
  onRemedy(remedy: Remedy): Promise<void>;
  /** Say something to readers of the screen only. */
  say(text: string): void;
}

interface Entry extends Turn {
  view: TurnView;
}

/** The turns of a chat, and the answer that is being written. */
export class Dialogue {
  readonly #host: DialogueHost;
  #entries: Entry[] = [];
  /** The first turn that still fits the model's context. */
  #firstTurn = 0;
  #controller: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(host: DialogueHost) {
    this.#host = host;
  }

  /** Whether nothing has been said yet. */
  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Whether an answer is being written. */
  get isAnswering(): boolean {
    return this.#controller !== undefined;
  }

  /** Ask something new. */
  ask(question: string): Promise<void> {
    const view = turnView(question, () => void this.answerAgain());
    const entry: Entry = { question, answer: "", view };
    this.#entries.at(-1)?.view.offerAgain("no");
    this.#entries.push(entry);
    this.#host.container.append(view.root);
    return this.#start(entry);
  }

  /** Answer the last question once more. */
  async answerAgain(): Promise<void> {
    const last = this.#entries.at(-1);
    if (!last) return;
    await this.stop();
    await this.#start(last);
  }

  /** Stop the answer that is being written, and wait until it has stopped. */
  stop(): Promise<void> {
    this.#controller?.abort();
    return this.#running;
  }

  /** Forget everything that was said. */
  async clear(): Promise<void> {
    await this.stop();
    this.#entries = [];
    this.#firstTurn = 0;
    this.#host.container.replaceChildren();
  }

  /** Write a line between the turns. Another model counts tokens differently, so every turn gets its chance again. */
  noteModel(name: string): void {
    this.#firstTurn = 0;
    this.#mark(0);
    this.#host.container.append(divider(`Now talking with ${name}`));
  }

  #start(entry: Entry): Promise<void> {
    const controller = new AbortController();
    this.#controller = controller;
    this.#running = this.#answer(entry, controller);
    return this.#running;
  }

  async #answer(entry: Entry, controller: AbortController): Promise<void> {
    entry.answer = "";
    entry.view.wait();
    this.#host.onBusy("answering");
    this.#host.say("The model is answering.");
    try {
      const report = await this.#generate(entry, controller.signal);
      if (report) this.#finish(entry, report);
    } catch (error) {
      if (!controller.signal.aborted) entry.view.fail(describeProblem(error), (remedy) => void this.#remedy(remedy));
      else entry.view.finish("", ["stopped"]);
    } finally {
      this.#controller = undefined;
      this.#host.onBusy("idle");
    }
  }

  async #generate(entry: Entry, signal: AbortSignal): Promise<AnswerReport | undefined> {
    const model = this.#host.model();
    if (!model) {
      entry.view.fail({ title: "No model is loaded", detail: "", remedies: ["bundled", "choose-model"] }, (remedy) => void this.#remedy(remedy));
      return undefined;
    }
    const settings = this.#host.settings();
    const fitted = await this.#fit(model, settings, entry);
    const room = model.info.contextLength - fitted.promptTokens;
    if (room < 1) {
      entry.view.fail(tooLong(fitted.promptTokens, model.info.contextLength), (remedy) => void this.#remedy(remedy));
      return undefined;
    }
    const sampling = settings.temperature > 0 ? { topK: TOP_K, topP: TOP_P } : {};
    const options = {
      temperature: settings.temperature,
      ...sampling,
      maxTokens: Math.min(settings.maxTokens, room),
      templateOptions: { enable_thinking: settings.think },
      signal,
    };
    signal.throwIfAborted();
    return streamAnswer(model, fitted.messages, options, (text) => entry.view.show(text));
  }

  async #fit(model: LanguageModel, settings: ChatSettings, entry: Entry): Promise<FittedConversation> {
    const { contextLength } = model.info;
    const before = this.#entries.slice(0, this.#entries.indexOf(entry)).map(sentTurn);
    const limits = {
      contextLength,
      reserve: answerReserve(settings.maxTokens, contextLength),
      countTokens: (messages: FittedConversation["messages"]) => model.countTokens(messages),
    };
    const fitted = await fitConversation(settings.systemPrompt, before, entry.question, this.#firstTurn, limits);
    if (fitted.firstTurn !== this.#firstTurn) this.#mark(fitted.firstTurn, contextLength);
    return fitted;
  }

  /** Show from which turn on the model still sees the conversation. */
  #mark(firstTurn: number, contextLength = 0): void {
    this.#firstTurn = firstTurn;
    this.#host.container.querySelector(".cut")?.remove();
    for (const [index, entry] of this.#entries.entries()) entry.view.root.classList.toggle("forgotten", index < firstTurn);
    if (firstTurn === 0) return;
    const line = divider(`This model holds ${count(contextLength, "token")}. What is above no longer fits, and is not sent.`);
    line.classList.add("cut");
    this.#entries[firstTurn]?.view.root.before(line);
  }

  #finish(entry: Entry, report: AnswerReport): void {
    entry.answer = report.text;
    entry.view.finish(report.text, reportFacts(report));
    const speed = report.tokensPerSecond ? ` at ${formatRate(report.tokensPerSecond)} tokens per second` : "";
    this.#host.say(report.ended === "stopped" ? "Stopped." : `Answered: ${count(report.completionTokens, "token")}${speed}.`);
  }

  async #remedy(remedy: Remedy): Promise<void> {
    if (remedy !== "retry") await this.#host.onRemedy(remedy);
    const mended = remedy === "retry" || ((remedy === "reload" || remedy === "bundled") && this.#host.model());
    if (mended) await this.answerAgain();
  }
}

/** What the model gets to see of a past turn: without its thoughts, which templates do not expect back. */
function sentTurn(entry: Entry): Turn {
  return { question: entry.question, answer: splitThinking(entry.answer).answer };
}

function tooLong(promptTokens: number, contextLength: number): Problem {
  return {
    title: "This message is too long for the model",
    detail: `With the system prompt it takes ${count(promptTokens, "token")}; the model holds ${count(contextLength, "token")}, its answer included.`,
    remedies: ["choose-model", "settings"],
  };
}

function divider(text: string): HTMLElement {
  const line = document.createElement("p");
  line.className = "divider";
  line.textContent = text;
  return line;
}
