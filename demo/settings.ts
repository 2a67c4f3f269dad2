/** What the settings panel holds. */
export interface ChatSettings {
  systemPrompt: string;
  temperature: number;
  maxTokens: number;
  /** Whether templates that know `enable_thinking` let the model reason first. */
  think: boolean;
}

/** The settings of a first visit. */
export const DEFAULT_SETTINGS: Readonly<ChatSettings> = {
  systemPrompt: "",
  temperature: 0.7, // what the bundled model's generation_config.json asks for
  maxTokens: 512,
  think: false, // small models think long and gain little
};

/** The highest token limit that the panel accepts. */
export const MAX_TOKENS_LIMIT = 32_768;

const KEY = "hearth-chat-settings";

/** The part of localStorage that settings need; absent when the browser denies storage. */
export type SettingsStore = Pick<Storage, "getItem" | "setItem"> | undefined;

/** The page's localStorage, or undefined where cookies and site data are blocked. */
export function localStore(): SettingsStore {
  try {
    return window.localStorage;
  } catch {
    return undefined; // a SecurityError: the visitor chose to store nothing, so the settings last as long as the page
  }
}

/** Read the settings, taking the default wherever something else than a usable value is stored. */
export function readSettings(store: SettingsStore): ChatSettings {
  return checkSettings(parse(store?.getItem(KEY)));
}

/** Store the settings; a full or forbidden store is no reason to disturb a chat. */
export function writeSettings(store: SettingsStore, settings: ChatSettings): void {
  try {
    store?.setItem(KEY, JSON.stringify(settings));
  } catch (error) {
    console.warn("The settings could not be stored.", error);
  }
}

function parse(json: string | null | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json ?? "{}");
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {}; // not JSON: someone else's value, or half a write
  }
}

function checkSettings(stored: Record<string, unknown>): ChatSettings {
  const { systemPrompt, temperature, maxTokens, think } = stored;
  return {
    systemPrompt: typeof systemPrompt === "string" ? systemPrompt : DEFAULT_SETTINGS.systemPrompt,
    temperature: numberWithin(temperature, 0, 2) ?? DEFAULT_SETTINGS.temperature,
    maxTokens: Math.round(numberWithin(maxTokens, 1, MAX_TOKENS_LIMIT) ?? DEFAULT_SETTINGS.maxTokens),
    think: typeof think === "boolean" ? think : DEFAULT_SETTINGS.think,
  };
}

/** Pass a finite number between the bounds through; anything else becomes undefined. */
export function numberWithin(value: unknown, least: number, most: number): number | undefined {
  return typeof value === "number" && value >= least && value <= most ? value : undefined;
}
