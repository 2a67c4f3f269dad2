// npm run logits -- --model M --tokens 1,2,3 --out F: the raw logits after each of some tokens. Needs no tokenizer.
import { open } from "node:fs/promises";

import { fail, readOptions } from "./driver/options.mjs";
import { DriverError, runDriver, withModel } from "./driver/session.mjs";

const options = readOptions({
  usage: "npm run logits -- --tokens 1,2,3 --out F [options]",
  positionals: 0,
  options: {
    tokens: { type: "string", value: "1,2,3", help: "the token ids to feed" },
    quantize: { type: "string", value: "q4|q8|none", help: "quantise float weights while loading (default: by size)" },
    out: { type: "string", value: "F", help: 'the file to write: { "logits": [[...], ...] }, one row per token' },
  },
});
if (!options.out) fail("--out is missing: expected a file to write");
const tokenIds = readTokenIds(options.tokens);

await runDriver(async () => {
  const loadOptions = options.quantize === undefined ? {} : { quantize: options.quantize };
  await withModel({ model: options.model, browser: options.browser, loadOptions }, async ({ call, receivedBytes }) => {
    await call("logits", tokenIds);
    await writeRows(options.out, toFloats(receivedBytes()));
  });
});

function readTokenIds(text) {
  if (!/^\d+(,\d+)*$/.test(text ?? "")) fail(`--tokens: expected ids such as 1,2,3, found ${text ?? "nothing"}`);
  return text.split(",").map(Number);
}

function toFloats(bytes) {
  const aligned = new Uint8Array(bytes); // a copy: a Buffer may start at any offset
  return new Float32Array(aligned.buffer);
}

/** Written row by row, because all rows as one string may exceed what a string can hold. */
async function writeRows(path, logits) {
  const vocabSize = logits.length / tokenIds.length;
  const file = await open(path, "w");
  try {
    await file.write('{ "logits": [\n');
    for (let row = 0; row < tokenIds.length; row++) {
      const numbers = Array.from(logits.subarray(row * vocabSize, (row + 1) * vocabSize));
      const wrong = numbers.findIndex((number) => !Number.isFinite(number)); // JSON has no word for it
      if (wrong >= 0) throw new DriverError(`logits of token ${row}: expected finite numbers, found ${numbers[wrong]} at id ${wrong}`);
      await file.write(JSON.stringify(numbers) + (row + 1 < tokenIds.length ? ",\n" : "\n"));
    }
    await file.write("] }\n");
  } finally {
    await file.close();
  }
}
