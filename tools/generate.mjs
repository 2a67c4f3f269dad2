// npm run generate -- "prompt": the runtime in a headless browser, its text streamed to the terminal.
import { given, readOptions } from "./driver/options.mjs";
import { runDriver, withModel } from "./driver/session.mjs";

const options = readOptions({
  usage: 'npm run generate -- "prompt" [options]',
  positionals: 1,
  options: {
    chat: { type: "boolean", help: "answer the prompt as a message, through the model's chat template" },
    "max-tokens": { type: "number", help: "tokens to generate at most (default: what the context holds)" },
    temperature: { type: "number", help: "0 picks the most likely token (default 0)" },
    seed: { type: "number", help: "the same seed gives the same text" },
    json: { type: "boolean", help: "print one JSON line instead: { text, tokens, finishReason, timing, info }" },
  },
});

await runDriver(async () => {
  const [text] = options.positionals;
  const prompt = options.chat ? [{ role: "user", content: text }] : text;
  const onText = options.json ? undefined : (piece) => process.stdout.write(piece);
  await withModel({ model: options.model, browser: options.browser, onText }, async ({ call, info }) => {
    const { maxTokens, temperature, seed } = { ...options, maxTokens: options["max-tokens"] };
    const result = await call("generate", prompt, given({ maxTokens, temperature, seed }));
    if (!options.json) return process.stdout.write("\n");
    const { text, tokenIds: tokens, finishReason, timing } = result;
    console.log(JSON.stringify({ text, tokens, finishReason, timing, info }));
  });
});
