import { HearthError } from "../src/index.ts";
import type { HearthErrorCode } from "../src/index.ts";

/** What a visitor can do about a problem. */
export type Remedy = "retry" | "reload" | "choose-model" | "make-room" | "load-unkept" | "bundled" | "new-chat" | "settings";

/** A problem in words for a visitor, with the ways out. */
export interface Problem {
  title: string;
  detail: string;
  remedies: Remedy[];
}

/** The label of a remedy's button. */
export const REMEDY_LABELS: Readonly<Record<Remedy, string>> = {
  retry: "Try again",
  reload: "Load the model again",
  "choose-model": "Choose another model",
  "make-room": "Remove kept models",
  "load-unkept": "Load it without keeping it",
  bundled: "Use the bundled model",
  "new-chat": "Start a new chat",
  settings: "Open settings",
};

const KNOWN: Readonly<Record<HearthErrorCode, [title: string, remedies: Remedy[]]>> = {
  "no-webgpu": ["The graphics card cannot be reached", ["retry"]],
  "unsupported-checkpoint": ["Hearth cannot run this model yet", ["choose-model", "bundled"]],
  "corrupt-checkpoint": ["The model's files do not fit together", ["retry", "choose-model"]],
  "file-not-found": ["There is no complete model at this place", ["choose-model", "bundled"]],
  network: ["The download was interrupted", ["retry", "choose-model"]],
  "access-denied": ["The model may not be downloaded without permission", ["choose-model", "bundled"]],
  "storage-full": ["This browser has no room left for the model", ["make-room", "load-unkept", "retry"]],
  storage: ["This browser's storage refused", ["load-unkept", "retry", "choose-model"]],
  "out-of-memory": ["The graphics card has too little memory for this model", ["choose-model", "bundled"]],
  "device-lost": ["The graphics card went away", ["retry", "reload"]],
  gpu: ["The graphics card reported an error", ["retry", "choose-model"]],
  busy: ["Too many questions are waiting", ["retry"]],
  "invalid-options": ["A setting does not suit this model", ["settings"]],
  "prompt-too-long": ["This conversation is too long for the model", ["new-chat", "choose-model"]],
  template: ["The model's chat template did not accept the conversation", ["new-chat", "choose-model"]],
  "text-limit": ["The model's chat template or tokenizer did not come to an end", ["new-chat", "choose-model"]],
  unloaded: ["The model was unloaded", ["reload"]],
  "worker-failed": ["The model's worker stopped", ["retry", "reload"]],
};

/** Describe an error that loading a model threw. */
export function describeLoadProblem(error: unknown): Problem {
  const problem = describeProblem(error);
  const misnamed = error instanceof HearthError && error.code === "invalid-options";
  return misnamed ? { ...problem, title: "This does not name a model", remedies: ["choose-model", "bundled"] } : problem;
}

/** Describe an error that answering threw. */
export function describeProblem(error: unknown): Problem {
  const detail = error instanceof Error ? error.message : String(error);
  if (!(error instanceof HearthError)) return { title: "Something unexpected happened", detail, remedies: ["retry", "reload"] };
  const [title, remedies] = KNOWN[error.code];
  return { title, detail, remedies };
}

/** Whether an error says that WebGPU is missing. */
export function isMissingWebGpu(error: unknown): boolean {
  return error instanceof HearthError && error.code === "no-webgpu";
}
