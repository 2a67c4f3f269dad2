// A worker that calls exports of storage_load.page.ts, so that memory and speed are those of a worker, as in a real load.
const calls: Record<string, (argument: never) => Promise<unknown>> = { ...(await import("./storage_load.page.ts")) };

addEventListener("message", async ({ data: [name, argument] }: MessageEvent<[string, never]>) => {
  try {
    postMessage({ result: await calls[name](argument) });
  } catch (error) {
    postMessage({ error: (error as Error).message });
  }
});
postMessage("ready");
export {};
