import { expect, test } from "@playwright/test";

import { HearthError } from "../../src/errors.ts";
import type { CheckpointFile, FileProgress } from "../../src/storage/checkpoint.ts";
import { openShardStore } from "../../src/storage/shard_store.ts";
import { openCheckpoint } from "../../src/storage/source.ts";
import { listStoredModels, removeStoredModel } from "../../src/storage/stored_models.ts";

import { faults, faultServer, memoryStore, patternBytes } from "./storage_support.ts";

const CHUNK = 512 * 1024;
const FILE = patternBytes(3 * CHUNK + 1000);

async function streamed(file: CheckpointFile, begin = 0, end = file.byteLength): Promise<Buffer> {
  const slices: Uint8Array[] = [];
  for await (const slice of file.stream(begin, end)) slices.push(slice.slice());
  return Buffer.concat(slices);
}

async function opened(file: Promise<CheckpointFile | undefined>): Promise<CheckpointFile> {
  const found = await file;
  if (found === undefined) throw new Error("expected the file to exist");
  return found;
}

test("a whole file costs a probe and one request, and the second load none, even with the server gone", async () => {
  const store = memoryStore();
  const server = await faultServer({ "w.safetensors": FILE, "config.json": "{}" });
  const first = openCheckpoint(server.url, { store });
  expect((await streamed(await opened(first.open("w.safetensors")))).equals(FILE)).toBe(true);
  expect(await streamed(await opened(first.open("config.json")))).toEqual(Buffer.from("{}"));
  expect(await first.open("chat_template.jinja")).toBeUndefined();
  expect(server.log).toEqual([
    "GET /w.safetensors bytes=0-262143", `GET /w.safetensors bytes=262144-${FILE.byteLength - 1}`,
    "GET /config.json bytes=0-262143", "GET /chat_template.jinja bytes=0-262143",
  ]);
  await server[Symbol.asyncDispose]();

  const progress: FileProgress[] = [];
  const second = openCheckpoint(server.url, { store, onProgress: (event) => progress.push(event) });
  expect((await streamed(await opened(second.open("w.safetensors")))).equals(FILE)).toBe(true);
  expect(await streamed(await opened(second.open("config.json")))).toEqual(Buffer.from("{}"));
  expect(await second.open("chat_template.jinja")).toBeUndefined();
  expect(progress.every(({ fromCache }) => fromCache)).toBe(true);
  expect(progress.at(-2)).toEqual({ file: "w.safetensors", loadedBytes: FILE.byteLength, totalBytes: FILE.byteLength, fromCache: true });
  await expect(second.open("never-asked.json")).rejects.toMatchObject({ code: "network" });
});

test("a load that stops early keeps whole chunks, and the next one fetches only what is missing", async () => {
  const store = memoryStore();
  await using server = await faultServer({ w: FILE });
  for await (const slice of (await opened(openCheckpoint(server.url, { store }).open("w"))).stream(0, FILE.byteLength)) {
    expect(slice.byteLength).toBeGreaterThan(0);
    if (store.chunks.size === 2) break;
  }
  server.log.length = 0;
  const file = await opened(openCheckpoint(server.url, { store }).open("w"));
  expect((await streamed(file)).equals(FILE)).toBe(true);
  expect(server.log[0]).toBe("GET /w bytes=0-262143");
  expect(server.log).toHaveLength(2);
  expect(server.log[1]).toMatch(new RegExp(`^GET /w bytes=(${2 * CHUNK}|${3 * CHUNK})-`));
});

test("stored chunks in the middle of a file are not fetched again", async () => {
  const store = memoryStore();
  await using server = await faultServer({ w: FILE });
  await (await opened(openCheckpoint(server.url, { store }).open("w"))).read(CHUNK + 5, 2 * CHUNK);
  expect([...store.chunks.keys()]).toEqual([`${server.url}|w|1`]);
  server.log.length = 0;
  const file = await opened(openCheckpoint(server.url, { store }).open("w"));
  expect((await streamed(file)).equals(FILE)).toBe(true);
  expect(server.log.slice(1)).toEqual([`GET /w bytes=262144-${CHUNK - 1}`, `GET /w bytes=${2 * CHUNK}-${FILE.byteLength - 1}`]);
});

test("ranges read one after another share one request", async () => {
  for (const store of [memoryStore(), undefined]) {
    await using server = await faultServer({ w: FILE });
    const file = await opened(openCheckpoint(server.url, { store }).open("w"));
    const parts: Buffer[] = [];
    for (let begin = 0; begin < FILE.byteLength; begin += 100_001) {
      parts.push(await streamed(file, begin, Math.min(FILE.byteLength, begin + 100_001)));
    }
    expect(Buffer.concat(parts).equals(FILE)).toBe(true);
    expect(server.log).toHaveLength(2);
  }
});

test("ranges read in any order and at the same time are right", async () => {
  for (const store of [memoryStore(), undefined]) {
    await using server = await faultServer({ w: FILE });
    const file = await opened(openCheckpoint(server.url, { store }).open("w"));
    const ranges = [[3 * CHUNK, FILE.byteLength], [0, 10], [CHUNK - 5, CHUNK + 5], [0, FILE.byteLength], [7, 7], [2 * CHUNK, 3 * CHUNK]];
    const found = await Promise.all(ranges.map(([begin, end]) => file.read(begin, end)));
    for (const [i, [begin, end]] of ranges.entries()) expect(Buffer.from(FILE.subarray(begin, end)).equals(found[i])).toBe(true);
  }
});

test("a new version of a file drops the stored chunks of the old one", async () => {
  const store = memoryStore();
  await using server = await faultServer({ w: FILE });
  server.etags.set("w", '"v1"');
  await (await opened(openCheckpoint(server.url, { store }).open("w"))).read(0, CHUNK);
  const changed = patternBytes(FILE.byteLength, 99);
  server.files.set("w", changed);
  server.etags.set("w", '"v2"');
  expect((await streamed(await opened(openCheckpoint(server.url, { store }).open("w")))).equals(changed)).toBe(true);
});

test("a broken connection is resumed inside a chunk", async () => {
  const store = memoryStore();
  await using server = await faultServer({ w: FILE });
  server.faults = [undefined, faults.silentlyEndAfter(CHUNK + 77)];
  expect((await streamed(await opened(openCheckpoint(server.url, { store }).open("w")))).equals(FILE)).toBe(true);
  expect(server.log.at(-1)).toBe(`GET /w bytes=${262_144 + CHUNK + 77}-${FILE.byteLength - 1}`);
  expect(store.chunks.size).toBe(4);
});

test("a chunk that vanished from the store is fetched again", async () => {
  const store = memoryStore();
  await using server = await faultServer({ w: FILE });
  await streamed(await opened(openCheckpoint(server.url, { store }).open("w")));
  store.chunks.delete(`${server.url}|w|2`);
  server.log.length = 0;
  expect((await streamed(await opened(openCheckpoint(server.url, { store }).open("w")))).equals(FILE)).toBe(true);
  expect(server.log).toEqual([`GET /w bytes=${2 * CHUNK}-${3 * CHUNK - 1}`]);
});

test("a full disk ends the read, or is reported and survived where someone listens", async () => {
  const store = memoryStore();
  store.failPuts = new HearthError("storage", "full");
  await using server = await faultServer({ w: FILE });
  await expect(streamed(await opened(openCheckpoint(server.url, { store }).open("w")))).rejects.toMatchObject({ code: "storage" });
  const reported: string[] = [];
  const survivor = openCheckpoint(server.url, { store, onStorageError: (error) => reported.push(error.message) });
  expect((await streamed(await opened(survivor.open("w")))).equals(FILE)).toBe(true);
  expect(reported).toEqual(["full"]);
});

test("an abort ends a stream with the platform's AbortError and keeps stored chunks", async () => {
  const store = memoryStore();
  await using server = await faultServer({ w: FILE });
  const file = await opened(openCheckpoint(server.url, { store }).open("w"));
  const controller = new AbortController();
  const reading = (async () => {
    for await (const slice of file.stream(0, FILE.byteLength, controller.signal)) {
      if (slice.byteLength > 0 && store.chunks.size === 1) controller.abort();
    }
  })();
  await expect(reading).rejects.toMatchObject({ name: "AbortError" });
  expect((await streamed(file)).equals(FILE)).toBe(true);
});

test("stored models are listed with bytes and completeness, and removed one at a time", async () => {
  const store = memoryStore();
  await using server = await faultServer({ "a/model.safetensors": FILE, "a/config.json": "{}", "b/model.safetensors": FILE });
  const [a, b] = ["a", "b"].map((folder) => openCheckpoint(`./${folder}`, { store, baseUrl: server.url }));
  await streamed(await opened(a.open("model.safetensors")));
  await opened(a.open("config.json"));
  await (await opened(b.open("model.safetensors"))).read(0, CHUNK);
  expect(await listStoredModels(store)).toEqual([
    { id: `${server.url}a/`, bytes: FILE.byteLength + 2, complete: true, savedAt: 1 },
    { id: `${server.url}b/`, bytes: CHUNK, complete: false, savedAt: 1 },
  ]);
  await removeStoredModel(`${server.url}a/`, store);
  expect((await listStoredModels(store)).map(({ id }) => id)).toEqual([`${server.url}b/`]);
});

test("without IndexedDB there is no store, nothing is listed, and checkpoints load from the network", async () => {
  expect(await openShardStore()).toBeUndefined();
  expect(await listStoredModels()).toEqual([]);
  await removeStoredModel("any");
  await using server = await faultServer({ w: FILE });
  expect((await streamed(await opened(openCheckpoint(server.url).open("w")))).equals(FILE)).toBe(true);
});

test("picked files are read by name, in slices, with progress", async () => {
  const progress: FileProgress[] = [];
  const big = patternBytes(9_000_000);
  const files = [new File([big as Uint8Array<ArrayBuffer>], "model.safetensors"), new File(["{}"], "config.json")];
  const checkpoint = openCheckpoint(files, { onProgress: (event) => progress.push(event) });
  expect(checkpoint.id).toBe("files");
  const file = await opened(checkpoint.open("model.safetensors"));
  expect(file.byteLength).toBe(9_000_000);
  expect((await streamed(file)).equals(big)).toBe(true);
  expect(progress.map(({ loadedBytes }) => loadedBytes)).toEqual([4_194_304, 8_388_608, 9_000_000]);
  expect(new TextDecoder().decode(await (await opened(checkpoint.open("config.json"))).read(1, 2))).toBe("}");
  expect(await checkpoint.open("tokenizer.json")).toBeUndefined();
});

test("sources resolve to the Hub or to a folder, and the token goes to the Hub only", async () => {
  const requests: [url: string, authorization: string | null][] = [];
  const realFetch = globalThis.fetch;
  globalThis.fetch = async (url, init) => {
    requests.push([String(url), new Headers(init?.headers).get("Authorization")]);
    return new Response("no", { status: 404 });
  };
  try {
    const options = { baseUrl: "https://page.example/chat/index.html", token: "hf_secret" };
    for (const source of ["org/na.me-1", "./models/x", "/models/x/", "https://host.example/m?sig=1#f", "../y"]) {
      await openCheckpoint(source, options).open("config.json");
    }
    await openCheckpoint("org/name", { revision: "refs/pr/1" }).open("config.json");
  } finally {
    globalThis.fetch = realFetch;
  }
  expect(requests).toEqual([
    ["https://huggingface.co/org/na.me-1/resolve/main/config.json", "Bearer hf_secret"],
    ["https://page.example/chat/models/x/config.json", null],
    ["https://page.example/models/x/config.json", null],
    ["https://host.example/m/config.json?sig=1", null],
    ["https://page.example/y/config.json", null],
    ["https://huggingface.co/org/name/resolve/refs%2Fpr%2F1/config.json", null],
  ]);
});

test("a source that is none of these is refused with the forms that are", () => {
  for (const source of ["", "name", "a/b/c", "ftp://host/x", "org/", "javascript:alert(1)", "./x"]) {
    expect(() => openCheckpoint(source)).toThrow(/org\/name/);
  }
});
