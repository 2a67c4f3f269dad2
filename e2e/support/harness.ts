// The page that specs run module code in. A GPU error nobody caught is printed, and what is printed as an error fails the test.
declare global {
  interface Window {
    run(modulePath: string, exportName: string, argument: unknown): Promise<unknown>;
  }
}

reportUncapturedErrors();
await warmUp();

window.run = async (modulePath, exportName, argument) => {
  const module: Record<string, unknown> = await import(/* @vite-ignore */ modulePath);
  const call = module[exportName];
  if (typeof call !== "function") throw new Error(`${modulePath} exports no function ${exportName}`);
  return call(argument);
};

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
