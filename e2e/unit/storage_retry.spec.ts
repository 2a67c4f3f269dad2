import { expect, test } from "@playwright/test";

import type { CheckpointFile } from "../../src/storage/checkpoint.ts";
import { askedDelayMs, DEFAULT_RETRY, Interruption, retryDelayMs } from "../../src/storage/retry.ts";
import { openCheckpoint } from "../../src/storage/source.ts";
import { FaultServer } from "../support/fault_server.ts";
import { randomBytes } from "../support/random_bytes.ts";
import { MemoryStore } from "./storage_support.ts";

function measured(text: string): void {
  test.info().annotations.push({ type: "measured", description: text });
}

test("promise 15: retries are polite", () => {
  let largest = 0;
  let sum = 0;
  for (let failure = 0; failure < 1000; failure++) {
    const failures = 1 + (failure % 12);
    const random = failure / 1000; // every part of the range
    const delay = retryDelayMs(new Interruption("x"), failures, DEFAULT_RETRY, () => random);
    expect(delay).toBe(random * Math.min(30_000, 500 * 2 ** (failures - 1)));
    largest = Math.max(largest, delay);
    sum += delay;
  }
  expect(DEFAULT_RETRY.attempts).toBe(8);
  const asked = (headers: Record<string, string>) => askedDelayMs(new Headers(headers), Date.parse("2026-01-01T00:00:00Z"));
  expect(asked({ "Retry-After": "17" })).toBe(17_000);
  expect(asked({ "Retry-After": "Thu, 01 Jan 2026 00:01:00 GMT" })).toBe(60_000);
  expect(asked({ RateLimit: '"resolvers";r=0;t=123' })).toBe(123_000);
  expect(asked({ "Retry-After": "soon" })).toBeUndefined();
  expect(retryDelayMs(new Interruption("x", { retryAfterMs: 17_000 }), 1, DEFAULT_RETRY)).toBe(17_000);
  measured(`1000 delays: full jitter from 0.5 s, at most ${(largest / 1000).toFixed(1)} s, ${(sum / 1e6).toFixed(1)} s on average; Retry-After and RateLimit obeyed exactly`);
});

test("promise 20: a slow disk holds the download back", async () => {
  const chunkBytes = 1024 * 1024;
  const store = new MemoryStore(chunkBytes);
  const put = store.putChunk.bind(store);
  let receivedBytes = 0;
  let most = 0;
  store.putChunk = async (...write) => {
    await new Promise((resolve) => setTimeout(resolve, 10)); // the slow disk itself
    most = Math.max(most, receivedBytes - store.chunks.size * chunkBytes);
    return put(...write);
  };
  await using server = await FaultServer.start();
  const files = { "model-1.safetensors": randomBytes(12 * chunkBytes), "model-2.safetensors": randomBytes(12 * chunkBytes, 2) };
  server.addFolder(files);
  const realFetch = globalThis.fetch;
  globalThis.fetch = async (...request) => {
    const { body, ...answer } = await realFetch(...request).then((response) => ({ body: response.body, status: response.status, headers: response.headers }));
    const count = new TransformStream<Uint8Array, Uint8Array>({
      transform(slice, controller) {
        receivedBytes += slice.byteLength;
        controller.enqueue(slice);
      },
    });
    return new Response(body?.pipeThrough(count), answer);
  };
  try {
    const checkpoint = openCheckpoint(server.url, { store });
    const opened = (await Promise.all(Object.keys(files).map((name) => checkpoint.open(name)))) as CheckpointFile[]; // both are listed
    for (const file of opened) for await (const slice of file.stream(0, file.byteLength)) void slice;
    expect(await checkpoint.verify()).toBe("sound");
  } finally {
    globalThis.fetch = realFetch;
  }
  // Two downloads, each with a chunk that fills, one that waits and one that is being written; 64 MiB at chunks of 16.
  expect(most).toBeLessThanOrEqual(4 * chunkBytes + chunkBytes / 2);
  measured(`at most ${(most / chunkBytes).toFixed(1)} chunks of two files on their way to the disk: ${Math.round((8 * most) / chunkBytes)} MiB at chunks of 8 MiB`);
});
