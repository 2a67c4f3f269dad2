// The page's side of the command-line drivers: session.mjs calls these functions; hearthEmit() is its ear.
// The library is the sources, through Vite, or a file that was built from them.
const { HearthError, loadModel } = await import(/* @vite-ignore */ new URLSearchParams(location.search).get("entry"));

let model;

const calls = {
  async load(source, options) {
    const onProgress = (progress) => window.hearthEmit({ type: "progress", progress });
    model = await loadModel(source, { ...options, onProgress });
    return model.info;
  },

  async generate(prompt, options) {
    const stream = model.stream(prompt, options);
    const tokenIds = [];
    let heard;
    for (;;) {
      const step = await stream.next();
      if (step.done) {
        await heard; // the terminal has the whole text before the driver goes on
        return { ...step.value, tokenIds };
      }
      tokenIds.push(...step.value.tokenIds);
      heard = window.hearthEmit({ type: "text", text: step.value.text });
    }
  },

  /** Numbers by the million go over HTTP; through the debugger they would take minutes. */
  async logits(tokenIds) {
    const body = await model.logits(tokenIds);
    const response = await fetch("/@driver/bytes", { method: "POST", body });
    if (!response.ok) throw new Error(`The driver did not take the logits: HTTP ${response.status}`);
  },

  benchmark: (options) => model.benchmark(options),

  unload: () => model.unload(),
};

/** Make a call and describe how it ended in plain data, since an error's code would not survive the debugger. */
window.hearthCall = async (name, ...parameters) => {
  try {
    return { value: await calls[name](...parameters) };
  } catch (error) {
    const title = error instanceof HearthError ? `${error.name} (${error.code})` : (error?.name ?? "thrown value");
    return { error: `${title}: ${error?.message ?? error}`, cause: error?.cause && String(error.cause) };
  }
};
window.hearthReady = true;
