// The worker that specs run module code in, where it is to have what only workers have: one call, then it is ended.
const modules = import.meta.glob(["/e2e/faults/{storage,chunk_files}.page.ts", "/e2e/storage/full_store.page.ts", "/e2e/long/storage_load.page.ts"]);

addEventListener("message", async ({ data: [modulePath, exportName, argument] }: MessageEvent<[string, string, unknown]>) => {
  try {
    const module = (await modules[modulePath]()) as Record<string, (argument: unknown) => unknown>;
    postMessage({ result: await module[exportName](argument) });
  } catch (error) {
    postMessage({ error: (error as Error).message });
  }
});
postMessage("ready");

export {};
