/** Every code a HearthError can carry; branch on the code, show the message. */
export type HearthErrorCode =
  | "no-webgpu" // this browser or machine offers no usable WebGPU adapter
  | "unsupported-checkpoint" // a sound checkpoint of a kind that Hearth cannot run
  | "corrupt-checkpoint" // files that contradict themselves or each other
  | "file-not-found" // the source lacks a file that the model needs
  | "access-denied" // the server refuses access: a token is missing, or may not read this
  | "network" // a request failed, or its body ended early
  | "storage" // the browser's storage failed or lost something
  | "storage-full" // the browser refuses to store more
  | "out-of-memory" // the GPU could not allocate what the model needs
  | "device-lost" // the GPU device went away
  | "gpu" // the GPU reported an error; results since then cannot be trusted
  | "invalid-options" // an option is unknown, out of range, or unsupported
  | "prompt-too-long" // the prompt does not fit the context
  | "template" // the chat template is missing, or rejected the messages
  | "text-limit" // the checkpoint's template or tokenizer took too long over this prompt, or made too much of it
  | "busy" // too many calls are waiting for the model
  | "unloaded" // the model was unloaded
  | "worker-failed"; // the worker died

/** Codes of failures that may pass: the same call, made again, can succeed. */
const RETRYABLE: ReadonlySet<HearthErrorCode> = new Set(["network", "device-lost", "gpu", "busy", "worker-failed"]);

/** The numbers behind an error, by name, such as `askedBytes` of "out-of-memory". */
export type HearthErrorDetails = Readonly<Record<string, number>>;

/** The one error class of Hearth. An abort is not one: it is the platform's `AbortError`. */
export class HearthError extends Error {
  readonly code: HearthErrorCode;
  readonly details: HearthErrorDetails;

  constructor(code: HearthErrorCode, message: string, options: { cause?: unknown; details?: HearthErrorDetails } = {}) {
    const { details = {}, ...errorOptions } = options;
    super(message, errorOptions);
    this.name = "HearthError";
    this.code = code;
    this.details = details;
  }

  /** Whether the same call may succeed when it is made again, with nothing changed. */
  get retryable(): boolean {
    return RETRYABLE.has(this.code);
  }
}
