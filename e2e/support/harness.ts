// The page that specs run module code in. A GPU error nobody caught is printed, and what is printed as an error fails the test.
import HarnessWorker from "./harness.worker.ts?worker&inline";

declare global {
  interface Window {
    run(modulePath: string, exportName: string, argument: unknown): Promise<unknown>;
    runInWorker(modulePath: string, exportName: string, argument: unknown): Promise<unknown>;
  }
}

const modules = import.meta.glob("/e2e/**/*.page.ts");

reportUncapturedErrors();
await warmUp();

window.run = async (modulePath, exportName, argument) => {
  const module = (await modules[modulePath]()) as Record<string, unknown>;
  const call = module[exportName];
  if (typeof call !== "function") throw new Error(`${modulePath} exports no function ${exportName}`);
  return call(argument);
};

window.runInWorker = (modulePath, exportName, argument) => new Promise((resolve, reject) => {
  const worker = new HarnessWorker();
  worker.onerror = ({ message }) => reject(new Error(message));
  worker.onmessage = ({ data }: MessageEvent<{ result: unknown } | { error: string } | "ready">) => {
    if (data === "ready") return worker.postMessage([modulePath, exportName, argument]);
    worker.terminate();
    if ("error" in data) reject(new Error(data.error));
    else resolve(data.result);
  };
});

function reportUncapturedErrors(): void {
  if (typeof GPUAdapter === "undefined") return;
  const requestDevice = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    device.addEventListener("uncapturederror", ({ error }) => console.error(`uncaptured ${error.constructor.name}: ${error.message}`));
    return device;
  };
}

/** A fresh browser may have no adapter for a moment, while its GPU process is being replaced. */
async function warmUp(): Promise<void> {
  if (!navigator.gpu) return;
  for (let attempt = 0; attempt < 20; attempt++) {
    if (await navigator.gpu.requestAdapter()) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

export {};
