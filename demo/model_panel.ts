import { storedModels } from "../src/index.ts";
import type { LanguageModel, ModelInfo, StoredModel } from "../src/index.ts";
import { SUGGESTIONS, isBundled, sourceName } from "./catalogue.ts";
import { button, byId, create } from "./dom.ts";
import { count, formatBytes, formatParameters } from "./format.ts";
import type { Source } from "./model_slot.ts";

/** The panel about models: the one in use, others to load, and those kept in this browser. */
export interface ModelPanel {
  /** Show the facts of the model in use, or that there is none. */
  showModel(source: Source | undefined, model: LanguageModel | undefined): void;
  /** List what the browser keeps; called whenever the panel opens. */
  refresh(): void;
}

/** Wire the panel. `onLoad` gets what the visitor chose, and a Hub token when one was given. */
export function modelPanel(onLoad: (source: Source, token?: string) => void): ModelPanel {
  const field = byId("source", HTMLInputElement);
  const token = byId("hub-token", HTMLInputElement);
  const load = (source: Source): void => onLoad(source, token.value.trim() || undefined);
  byId("load-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const source = cleanSource(field.value);
    if (source) load(source);
    else field.focus();
  });
  wireFolder(load);
  byId("suggestions", HTMLUListElement).replaceChildren(
    ...SUGGESTIONS.map((suggestion) =>
      modelRow(suggestion.id, `${suggestion.words}, ${formatBytes(suggestion.byteLength)}`, () => load(suggestion.id)),
    ),
  );
  const refresh = (): void => void listStored(load);
  return { showModel, refresh };
}

/** Accept an id, a URL, and the address of a model's page on the Hub. */
function cleanSource(value: string): string {
  const page = /^(?:https:\/\/)?(?:www\.)?huggingface\.co\/([\w.-]+\/[\w.-]+)\/?(?:tree\/main\/?)?$/.exec(value.trim());
  return page ? page[1] : value.trim();
}

function wireFolder(load: (source: Source) => void): void {
  const folder = byId("folder", HTMLInputElement);
  byId("choose-folder", HTMLButtonElement).addEventListener("click", () => folder.click());
  folder.addEventListener("change", () => {
    const files = [...(folder.files ?? [])];
    folder.value = "";
    if (files.length > 0) load(files);
  });
}

function modelRow(id: string, words: string, onLoad: () => void, ...more: HTMLElement[]): HTMLElement {
  const [owner, name] = splitId(id);
  const about = create("span", "row-words", words);
  if (owner) about.append(", ", create("span", "row-owner", `from ${owner}`));
  const open = create("button", "row-main", create("span", "row-title", name), about);
  open.type = "button";
  open.addEventListener("click", onLoad);
  return create("li", "", open, ...more);
}

function splitId(id: string): [owner: string, name: string] {
  const hubId = /^([\w.-]+)\/([\w.@/-]+)$/.exec(id);
  return hubId ? [hubId[1], hubId[2]] : ["", sourceName(id)];
}

async function listStored(load: (source: Source) => void): Promise<void> {
  const list = byId("stored", HTMLUListElement);
  const note = byId("stored-note", HTMLParagraphElement);
  try {
    const models = await storedModels.list();
    list.replaceChildren(...models.map((model) => storedRow(model, load)));
    note.textContent = models.length > 0 ? await keepingWords() : "Nothing yet. A model is kept after its first download, and opens without a network then.";
  } catch (error) {
    list.replaceChildren();
    note.textContent = `The browser's storage could not be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** How long a model is kept is the browser's to say. */
async function keepingWords(): Promise<string> {
  const isPersisted = (await navigator.storage?.persisted?.()) ?? false;
  return isPersisted ? "" : "May be removed by the browser when space runs short.";
}

function storedRow(model: StoredModel, load: (source: Source) => void): HTMLElement {
  const size = formatBytes(model.bytes);
  const words = model.complete ? size : `${size} so far; opening it downloads the rest`;
  return modelRow(model.id, words, () => load(model.id), removeButton(model.id, load));
}

function removeButton(id: string, load: (source: Source) => void): HTMLButtonElement {
  const remove = async (): Promise<void> => {
    element.disabled = true;
    await storedModels.remove(id);
    await listStored(load);
  };
  const element = button({
    label: `Remove ${sourceName(id)} from this browser`,
    icon: "trash",
    iconOnly: true,
    className: "quiet square",
    onClick: () => void remove().catch(showRemoveError),
  });
  return element;
}

function showRemoveError(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  byId("stored-note", HTMLParagraphElement).textContent = `It could not be removed: ${message}`;
}

function showModel(source: Source | undefined, model: LanguageModel | undefined): void {
  const target = byId("model-facts", HTMLElement);
  if (!source || !model) {
    target.replaceChildren(create("p", "help", "No model is loaded."));
    return;
  }
  const rows = factRows(model.info).flatMap(([term, value]) => [create("dt", "", term), create("dd", "", value)]);
  const words = isBundled(source)
    ? "Comes with this page. It tells little stories, does small sums and remembers your name; it knows little else."
    : model.info.id;
  target.replaceChildren(create("h3", "model-title", sourceName(source)), create("p", "help", words), create("dl", "facts-grid", ...rows));
}

function factRows(info: ModelInfo): [string, string][] {
  const { vendor, architecture, description, isSoftware } = info.adapter;
  const adapter = description || [vendor, architecture].filter(Boolean).join(" ") || "not named by the browser";
  return [
    ["Architecture", `${info.modelType}, ${count(info.layers, "layer")}`],
    ["Parameters", formatParameters(info.parameters)],
    ["Weights", `${info.weightFormat}, ${formatBytes(info.weightBytes)}`],
    ["Context", `${count(info.contextLength, "token")}, ${formatBytes(info.kvCacheBytes)}`],
    ["Graphics", isSoftware ? `${adapter}: the processor plays the graphics card, slowly` : adapter],
  ];
}
