import { BUNDLED_MODEL, forgetOtherVersions } from "./bundled_model.ts";
import { STARTERS, isBundled, sourceName } from "./catalogue.ts";
import { createComposer } from "./composer.ts";
import { Dialogue } from "./dialogue.ts";
import { button, byId, create } from "./dom.ts";
import { loadCard } from "./load_card.ts";
import type { LoadCard } from "./load_card.ts";
import { LoadGuard } from "./load_guard.ts";
import { modelPanel } from "./model_panel.ts";
import { ModelSlot } from "./model_slot.ts";
import type { SlotState, Source } from "./model_slot.ts";
import { describeLoadProblem, isMissingWebGpu } from "./problem.ts";
import type { Remedy } from "./problem.ts";
import { noWebGpuView, problemView } from "./problem_view.ts";
import { followEnd } from "./scroll.ts";
import { localStore, readSettings, writeSettings } from "./settings.ts";
import { settingsPanel, wireDialog } from "./settings_panel.ts";

const store = localStore();
const guard = new LoadGuard(store);
let settings = readSettings(store);

const conversation = byId("conversation", HTMLElement);
const welcome = byId("welcome", HTMLElement);
const loading = byId("loading", HTMLElement);
const modelsDialog = byId("models", HTMLDialogElement);
const settingsDialog = byId("settings", HTMLDialogElement);

let card: { load: LoadCard; source: Source } | undefined;
let lastReady: Source | undefined;

const slot = new ModelSlot(showSlot);
const dialogue = new Dialogue({
  container: conversation,
  model: () => slot.model,
  settings: () => settings,
  onBusy: showMode,
  onRemedy: remedy,
  say,
});
const follower = followEnd(byId("scroller", HTMLElement), conversation, byId("jump", HTMLElement));
const composer = createComposer({ onSend: send, onStop: () => void dialogue.stop() });
const panel = modelPanel((source, token) => {
  modelsDialog.close();
  void load(source, token);
});

function send(text: string): void {
  welcome.hidden = true;
  const answered = dialogue.ask(text);
  follower.toEnd();
  void answered;
}

async function load(source: Source, token?: string): Promise<void> {
  await dialogue.stop();
  guard.begin();
  await slot.load(source, token);
  if (slot.state.phase !== "loading") guard.end(); // another load may have taken its place
}

async function newChat(): Promise<void> {
  await dialogue.clear();
  welcome.hidden = slotNeedsWebGpu(slot.state);
  say("A new chat.");
  composer.focus();
}

async function remedy(what: Remedy): Promise<void> {
  if (what === "choose-model" || what === "make-room") openModels();
  else if (what === "bundled") await load(BUNDLED_MODEL);
  else if (what === "new-chat") await newChat();
  else if (what === "settings") settingsDialog.showModal();
  else await slot.reload(what === "load-unkept");
}

function openModels(): void {
  panel.refresh();
  modelsDialog.showModal();
}

function say(text: string): void {
  byId("status", HTMLElement).textContent = text;
}

function slotNeedsWebGpu(state: SlotState): boolean {
  return state.phase === "failed" && isMissingWebGpu(state.error);
}

/** Show what the slot holds: in the header, in the panel, and above the message field. */
function showSlot(state: SlotState): void {
  const name = state.phase === "empty" ? "No model" : sourceName(state.source);
  byId("model-name", HTMLElement).textContent = name;
  byId("open-models", HTMLElement).dataset["phase"] = state.phase;
  panel.showModel(state.phase === "ready" ? state.source : undefined, slot.model);
  showNoWebGpu(state);
  showLoading(state);
  if (state.phase === "ready") showReady(state.source, name);
  showMode(dialogue.isAnswering ? "answering" : "idle"); // last: a message that waited for the model is sent by this
}

function showLoading(state: SlotState): void {
  if (state.phase === "loading") {
    if (card?.source !== state.source) {
      card = { source: state.source, load: loadCard(state.source, () => slot.cancel()) };
      loading.replaceChildren(card.load.root);
    }
    card.load.update(state.progress);
    loading.hidden = false;
    return;
  }
  card = undefined;
  loading.replaceChildren();
  if (state.phase === "failed" && !isMissingWebGpu(state.error)) {
    loading.append(problemView(describeLoadProblem(state.error), (what) => void remedy(what)));
  }
  if (state.phase === "empty") loading.append(emptySlotCard());
  loading.hidden = loading.childElementCount === 0;
}

function emptySlotCard(): HTMLElement {
  const detail = "What was downloaded so far is kept.";
  return problemView({ title: "No model is loaded", detail, remedies: ["bundled", "choose-model"] }, (what) => void remedy(what));
}

function showNoWebGpu(state: SlotState): void {
  const notice = byId("no-webgpu", HTMLElement);
  const missing = slotNeedsWebGpu(state);
  if (missing && state.phase === "failed") {
    const detail = state.error instanceof Error ? state.error.message : "";
    notice.replaceChildren(...noWebGpuView(detail, () => void slot.reload()));
  }
  notice.hidden = !missing;
  welcome.hidden = missing || !dialogue.isEmpty;
}

function showReady(source: Source, name: string): void {
  showWelcome(source);
  say(`${name} is ready.`);
  if (lastReady !== undefined && lastReady !== source && !dialogue.isEmpty) {
    dialogue.noteModel(name);
    follower.toEnd();
  }
  lastReady = source;
  if (slot.model) byId("measure", HTMLAnchorElement).href = `./bench.html?${new URLSearchParams({ model: slot.model.info.id })}`;
  if (source === BUNDLED_MODEL && slot.model) void tidyUp(slot.model.info.id);
}

async function tidyUp(id: string): Promise<void> {
  try {
    await forgetOtherVersions(id);
  } catch (error) {
    console.warn("Older versions of the bundled model could not be removed from this browser.", error);
  }
}

function showWelcome(source: Source): void {
  const bundled = isBundled(source);
  byId("welcome-text", HTMLElement).textContent = bundled
    ? "A small language model lives in this page and runs on your own graphics card. It tells stories about animals and children, and answers simple questions. For more, load a bigger one."
    : `${sourceName(source)} is running in this page, on your own graphics card.`;
  const starters: HTMLElement[] = STARTERS[bundled ? "bundled" : "other"].map((text) =>
    button({ label: text, className: "starter", onClick: () => composer.send(text) }),
  );
  byId("starters", HTMLElement).replaceChildren(...starters.map((starter) => create("li", "", starter)));
}

function showMode(busy: "answering" | "idle"): void {
  composer.setMode(busy === "answering" ? "answering" : slot.model ? "ready" : "waiting");
  document.body.dataset["busy"] = busy;
}

wireDialog(modelsDialog, byId("open-models", HTMLElement), panel.refresh);
wireDialog(settingsDialog, byId("open-settings", HTMLElement));
settingsPanel(settings, (changed) => {
  settings = changed;
  writeSettings(store, changed);
});
byId("new-chat", HTMLElement).addEventListener("click", () => void newChat());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) void dialogue.stop();
});
showWelcome(BUNDLED_MODEL);
// A touch screen would answer focus with a keyboard over half the page.
if (matchMedia("(hover: hover)").matches) composer.focus();
addEventListener("pagehide", () => guard.end());
if (guard.mayLoadUnasked) {
  void load(BUNDLED_MODEL);
} else {
  showSlot(slot.state);
  say("The last two loads never came to an end, so no model was loaded this time. Choose one, perhaps a smaller one.");
  openModels();
}
