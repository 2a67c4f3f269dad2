import type { SpawnMessage } from "../worker/protocol.ts";
// Vite's own import form, as in the supervisor.
import TextWorker from "../worker/text_worker.ts?worker&inline";

/** Starts text workers for whoever holds the other end of its port. */
export interface TextSpawner {
  /** For the engine's worker. */
  port: MessagePort;
  /** End every text worker. */
  close(): void;
}

/**
 * Open a spawner of text workers. The page starts them, because now and then Firefox never comes back from `new Worker`
 * inside a worker, which nothing in there can notice.
 */
export function openTextSpawner(): TextSpawner {
  const { port1, port2 } = new MessageChannel();
  const ends = new Set<() => void>();
  let isClosed = false;
  port1.onmessage = ({ data }: MessageEvent<SpawnMessage>) => {
    if (!isClosed) startTextWorker(data, ends);
  };
  const close = () => {
    isClosed = true;
    port1.close();
    for (const end of ends) end();
  };
  return { port: port2, close };
}

function startTextWorker({ service, control }: SpawnMessage, ends: Set<() => void>): void {
  const fail = (finding: string) => control.postMessage(finding);
  try {
    const worker = new TextWorker({ name: "hearth-text" });
    const end = () => {
      worker.terminate();
      control.close();
      ends.delete(end);
    };
    ends.add(end);
    control.onmessage = end;
    worker.onerror = (event) => {
      event.preventDefault(); // it is reported by the rejected call
      fail(event.message || "its script may not run");
    };
    worker.postMessage(service, [service]);
  } catch (error) {
    fail((error as Error).message);
  }
}
