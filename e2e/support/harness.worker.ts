// The worker that specs run module code in, where it is to have what only workers have: one call, then it is ended.
addEventListener("message", async ({ data: [modulePath, exportName, argument] }: MessageEvent<[string, string, unknown]>) => {
  try {
    const module: Record<string, (argument: unknown) => unknown> = await import(/* @vite-ignore */ modulePath);
    postMessage({ result: await module[exportName](argument) });
  } catch (error) {
    postMessage({ error: (error as Error).message });
  }
});
postMessage("ready");

export {};
