import { transferHandlers } from "comlink";
import type { TransferHandler } from "comlink";

import { HearthError } from "../errors.ts";
import type { GenerationMessage, GenerationResult, ReaderMessage, TextChunk, WireError } from "./protocol.ts";

const MAX_CAUSES = 8; // a chain of causes may be circular; no real one is this long
// What may be under way to a slow reader before the engine pauses. A chunk has at most 16 tokens, so that no more than 64 wait.
const CHUNKS_UNDER_WAY = 32;
const TOKENS_UNDER_WAY = 48;

const BUILT_IN_ERRORS = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as const;

/** Turn any thrown value into plain data that keeps class, code, message, stack and cause. */
export function encodeError(thrown: unknown, depth = 0): WireError {
  if (thrown instanceof DOMException) return { kind: "dom", name: thrown.name, message: thrown.message, stack: thrown.stack };
  if (isGpuError(thrown)) return { kind: "error", name: thrown.constructor.name, message: thrown.message };
  if (!(thrown instanceof Error)) return { kind: "value", value: toPrimitive(thrown) };
  const { name, message, stack } = thrown;
  const cause = thrown.cause === undefined || depth >= MAX_CAUSES ? undefined : encodeError(thrown.cause, depth + 1);
  if (thrown instanceof HearthError) return { kind: "hearth", code: thrown.code, message, details: thrown.details, stack, cause };
  return { kind: "error", name, message, stack, cause };
}

/** WebGPU's errors are no `Error`s, and cannot be cloned. */
function isGpuError(thrown: unknown): thrown is GPUError {
  return typeof GPUError !== "undefined" && thrown instanceof GPUError;
}

function toPrimitive(value: unknown): Extract<WireError, { kind: "value" }>["value"] {
  if (value === null || value === undefined) return value;
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return value;
  return String(value);
}

/** Rebuild the thrown value that `encodeError` took apart. */
export function decodeError(wire: WireError): unknown {
  switch (wire.kind) {
    case "value":
      return wire.value;
    case "dom":
      return withStack(new DOMException(wire.message, wire.name), wire.stack);
    case "hearth":
      return withStack(new HearthError(wire.code, wire.message, { ...causeOf(wire), details: wire.details }), wire.stack);
    case "error": {
      const Class = BUILT_IN_ERRORS[wire.name as keyof typeof BUILT_IN_ERRORS] ?? Error; // an unknown name falls back to Error
      const error = new Class(wire.message, causeOf(wire));
      if (error.name !== wire.name) error.name = wire.name;
      return withStack(error, wire.stack);
    }
    default:
      return wire satisfies never;
  }
}

function causeOf(wire: { cause?: WireError }): ErrorOptions {
  return wire.cause === undefined ? {} : { cause: decodeError(wire.cause) };
}

function withStack<T extends object>(error: T, stack: string | undefined): T {
  if (stack !== undefined) Object.defineProperty(error, "stack", { value: stack, configurable: true, writable: true });
  return error;
}

/** Teach this thread's Comlink to carry thrown values by `encodeError`; both threads call it before anything else. */
export function installErrorTransfer(): void {
  // Comlink marks thrown values with a private symbol, so its own handler has to keep recognising them.
  const comlinkHandler = transferHandlers.get("throw");
  if (!comlinkHandler) throw new Error("Comlink has no handler named throw to replace");
  const handler: TransferHandler<{ value: unknown }, WireError> = {
    canHandle: (value): value is { value: unknown } => comlinkHandler.canHandle(value),
    serialize: ({ value }) => [encodeError(value), []],
    deserialize: (wire) => {
      throw decodeError(wire);
    },
  };
  transferHandlers.set("throw", handler);
}

/** Settle like `promise`, or reject with the signal's reason as soon as it aborts. */
export function untilAborted<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).then(() => signal.removeEventListener("abort", abort));
  });
}

/** Page side: make a call whose last argument is a port on which the abort of `signal` is announced. */
export async function withAborter<T>(signal: AbortSignal, call: (aborter: MessagePort) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { port1, port2 } = new MessageChannel();
  const abort = () => port1.postMessage({ type: "abort" } satisfies ReaderMessage);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await untilAborted(call(port2), signal);
  } finally {
    signal.removeEventListener("abort", abort);
    port1.close();
  }
}

/** Worker side: the signal that `withAborter` announces on its port. */
export function signalOfAborter(aborter: MessagePort): AbortSignal {
  const controller = new AbortController();
  aborter.onmessage = () => controller.abort();
  return controller.signal;
}

/** Worker side: run a generation into its port, no further ahead of its reader than a few tokens; failures go into the port too. */
export async function pumpGeneration(
  port: MessagePort,
  generate: (signal: AbortSignal) => AsyncGenerator<TextChunk, GenerationResult>,
): Promise<void> {
  const post = (message: GenerationMessage) => port.postMessage(message);
  const reader = followReader(port);
  try {
    const generator = generate(reader.signal);
    try {
      for (;;) {
        await reader.room();
        const step = await generator.next();
        if (step.done) return post({ type: "done", result: step.value });
        post({ type: "chunk", chunk: step.value });
        reader.noteSent(step.value.tokenIds.length);
      }
    } finally {
      // A generator paused for want of room still holds its turn in the queue; one that has ended ignores this.
      await generator.return(undefined as never); // the result of a generator that was told to return is not read
    }
  } catch (error) {
    post({ type: "failed", error: encodeError(error) });
  } finally {
    port.close();
  }
}

/** Worker side: what a reader has yet to consume, by the credits that it sends. */
interface Reader {
  signal: AbortSignal;
  /** Wait until another chunk may be sent. */
  room(): Promise<void>;
  noteSent(tokens: number): void;
}

function followReader(port: MessagePort): Reader {
  const stop = new AbortController();
  const underWay: number[] = []; // tokens of each chunk
  let wake = () => {};
  port.onmessage = ({ data }: MessageEvent<ReaderMessage>) => {
    if (data.type === "abort") stop.abort();
    else underWay.shift();
    wake();
  };
  const isFull = () => underWay.length >= CHUNKS_UNDER_WAY || underWay.reduce((sum, tokens) => sum + tokens, 0) >= TOKENS_UNDER_WAY;
  const room = async () => {
    while (isFull() && !stop.signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
    stop.signal.throwIfAborted();
  };
  return { signal: stop.signal, room, noteSent: (tokens) => void underWay.push(tokens) };
}

/** Page side: read a generation from its port. Leaving the loop, or the signal, stops the worker's side. */
export async function* readGeneration(port: MessagePort, signal: AbortSignal): AsyncGenerator<TextChunk, GenerationResult> {
  const inbox = openInbox<GenerationMessage>(port);
  const post = (message: ReaderMessage) => port.postMessage(message);
  try {
    for (;;) {
      const message = await untilAborted(inbox(), signal);
      switch (message.type) {
        case "chunk":
          yield message.chunk;
          post({ type: "credit" }); // only now has the reader come back for more
          break;
        case "done":
          return message.result;
        case "failed":
          throw decodeError(message.error);
        default:
          message satisfies never;
      }
    }
  } finally {
    post({ type: "abort" }); // closing a port tells the other side nothing; after the end this goes unheard
    port.close();
  }
}

/** Messages of a port in order, one per call; a single call may be outstanding. */
function openInbox<T>(port: MessagePort): () => Promise<T> {
  const messages: T[] = [];
  let deliver: ((message: T) => void) | undefined;
  port.onmessage = ({ data }: MessageEvent<T>) => {
    if (!deliver) return void messages.push(data);
    deliver(data);
    deliver = undefined;
  };
  return async () => (messages.length > 0 ? (messages.shift() as T) : new Promise<T>((resolve) => (deliver = resolve))); // T: length was checked
}
