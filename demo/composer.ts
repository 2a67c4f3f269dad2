import { byId } from "./dom.ts";

/** What the composer tells the page. */
export interface ComposerEvents {
  onSend(text: string): void;
  onStop(): void;
}

/** "ready": can send; "answering": the button stops; "waiting": no model yet, so that sending is put off until there is one. */
export type ComposerMode = "ready" | "answering" | "waiting";

/** The message field and its button. */
export interface Composer {
  setMode(mode: ComposerMode): void;
  /** Send a text as if it had been written. */
  send(text: string): void;
  focus(): void;
}

const HINT = "What you write stays on this device.";
const HINT_PENDING = "It will be sent when the model is ready.";

/** Wire the message field: Enter sends, Shift+Enter makes a new line. */
export function createComposer(events: ComposerEvents): Composer {
  const form = byId("composer", HTMLFormElement);
  const field = byId("prompt", HTMLTextAreaElement);
  let mode: ComposerMode = "waiting";
  let pending = false;
  const update = (): void => showState(mode, field.value.trim() === "", pending);
  const submit = (): void => {
    const text = field.value.trim();
    if (mode === "answering" || text === "") return;
    pending = mode === "waiting";
    if (mode === "ready") {
      field.value = "";
      grow(field);
      events.onSend(text);
    }
    update();
  };
  const write = (text: string): void => {
    field.value = text;
    grow(field);
    submit();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (mode === "answering") events.onStop();
    else submit();
  });
  onEnter(field, submit);
  field.addEventListener("input", () => {
    pending = false; // whoever goes on writing is not done
    grow(field);
    update();
  });
  return {
    setMode(next) {
      mode = next;
      if (pending && mode === "ready") submit();
      else update();
    },
    send: write,
    focus: () => field.focus({ preventScroll: true }),
  };
}

function showState(mode: ComposerMode, isEmpty: boolean, pending: boolean): void {
  const send = byId("send", HTMLButtonElement);
  send.disabled = mode !== "answering" && (isEmpty || pending);
  send.setAttribute("aria-label", mode === "answering" ? "Stop" : "Send");
  byId("composer", HTMLFormElement).dataset["mode"] = mode;
  const hint = byId("hint", HTMLElement);
  const text = pending ? HINT_PENDING : HINT;
  if (hint.textContent !== text) hint.textContent = text;
}

function onEnter(field: HTMLTextAreaElement, submit: () => void): void {
  field.addEventListener("keydown", (event) => {
    // While an input method composes, Enter accepts its proposal.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
}

/** Fit the field to its text where the browser cannot do so by CSS. */
function grow(field: HTMLTextAreaElement): void {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
