import { byId } from "./dom.ts";
import { DEFAULT_SETTINGS, MAX_TOKENS_LIMIT, numberWithin } from "./settings.ts";
import type { ChatSettings } from "./settings.ts";

/** Wire the settings panel; every change is reported at once, there is no button to save. */
export function settingsPanel(initial: ChatSettings, onChange: (settings: ChatSettings) => void): void {
  const form = byId("settings-form", HTMLFormElement);
  const systemPrompt = byId("system-prompt", HTMLTextAreaElement);
  const temperature = byId("temperature", HTMLInputElement);
  const temperatureValue = byId("temperature-value", HTMLOutputElement);
  const maxTokens = byId("max-tokens", HTMLInputElement);
  const think = byId("think", HTMLInputElement);
  let settings = initial;
  const show = (): void => {
    systemPrompt.value = settings.systemPrompt;
    temperature.value = String(settings.temperature);
    temperatureValue.value = settings.temperature.toFixed(1);
    maxTokens.value = String(settings.maxTokens);
    think.checked = settings.think;
  };
  const read = (): void => {
    // A field that is being emptied or overfilled keeps the last good value until it makes sense again.
    const tokens = numberWithin(maxTokens.valueAsNumber, 1, MAX_TOKENS_LIMIT);
    settings = {
      systemPrompt: systemPrompt.value,
      temperature: temperature.valueAsNumber,
      maxTokens: tokens === undefined ? settings.maxTokens : Math.round(tokens),
      think: think.checked,
    };
    temperatureValue.value = settings.temperature.toFixed(1);
    onChange(settings);
  };
  form.addEventListener("input", read);
  form.addEventListener("submit", (event) => event.preventDefault());
  maxTokens.addEventListener("blur", show);
  byId("reset-settings", HTMLButtonElement).addEventListener("click", () => {
    settings = { ...DEFAULT_SETTINGS };
    show();
    onChange(settings);
  });
  show();
}

/** Let a dialog be opened by a button, and closed by its own button, by Escape, and by a click beside it. */
export function wireDialog(dialog: HTMLDialogElement, opener: HTMLElement, onOpen?: () => void): void {
  opener.addEventListener("click", () => {
    onOpen?.();
    dialog.showModal();
  });
  dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
  dialog.addEventListener("pointerdown", (event) => {
    // The sheet's children cover it, so only its backdrop reports the dialog itself as target.
    if (event.target === dialog) dialog.close();
  });
}
