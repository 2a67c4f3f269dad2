import { expect, test } from "@playwright/test";

import { HearthError } from "../../src/errors.ts";
import type { CheckpointFile, FileProgress } from "../../src/storage/checkpoint.ts";
import { DEFAULT_RETRY } from "../../src/storage/retry.ts";
import { openShardStore } from "../../src/storage/shard_store.ts";
import { openCheckpoint } from "../../src/storage/source.ts";
import { listStoredModels, removeStoredModel } from "../../src/storage/stored_models.ts";

import { FaultServer } from "../support/fault_server.ts";
import { faults, type Fault } from "../support/faults.ts";
import { MemoryStore, patternBytes } from "./storage_support.ts";

const CHUNK = 512 * 1024;
const FILE = patternBytes(3 * CHUNK + 1000);

async function streamed(file: CheckpointFile, begin = 0, end = file.byteLength, signal?: AbortSignal): Promise<Buffer> {
  const slices: Uint8Array[] = [];
  for await (const slice of file.stream(begin, end, signal)) slices.push(slice.slice());
  return Buffer.concat(slices);
}

async function opened(file: Promise<CheckpointFile | undefined>): Promise<CheckpointFile> {
  const found = await file;
  if (found === undefined) throw new Error("expected the file to exist");
  return found;
}

test("a whole file costs a probe and one request, and the second load none, even with the server gone", async () => {
  const store = new MemoryStore();
  const server = await FaultServer.start({ "w.safetensors": FILE, "config.json": "{}" });
  const first = openCheckpoint(server.url, { store });
  expect((await streamed(await opened(first.open("w.safetensors")))).equals(FILE)).toBe(true);
  expect(await streamed(await opened(first.open("config.json")))).toEqual(Buffer.from("{}"));
  expect(await first.open("chat_template.jinja")).toBeUndefined();
  expect(server.fileLog).toEqual([
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
  const impatient = openCheckpoint(server.url, { store, retry: { ...DEFAULT_RETRY, attempts: 1 } });
  await expect(impatient.open("never-asked.json")).rejects.toMatchObject({ code: "network" });
});

/** Read a file, and stop once this many chunks are stored. */
async function readUntilStored(file: CheckpointFile, store: MemoryStore, chunks: number): Promise<void> {
  const controller = new AbortController();
  store.onPut = () => store.chunks.size >= chunks && controller.abort();
  await expect(streamed(file, 0, file.byteLength, controller.signal)).rejects.toMatchObject({ name: "AbortError" });
  store.onPut = () => {};
}

test("a load that stops early keeps whole chunks, and the next one fetches only what is missing", async () => {
  const store = new MemoryStore();
  await using server = await FaultServer.start({ "w.safetensors": FILE });
  server.faults = [undefined, faults.stallAfter(2 * CHUNK)];
  await readUntilStored(await opened(openCheckpoint(server.url, { store }).open("w.safetensors")), store, 2);
  server.clearLog();
  const file = await opened(openCheckpoint(server.url, { store }).open("w.safetensors"));
  expect((await streamed(file)).equals(FILE)).toBe(true);
  expect(server.fileLog).toEqual(["GET /w.safetensors bytes=0-262143", `GET /w.safetensors bytes=${2 * CHUNK}-${FILE.byteLength - 1}`]);
});

test("a download begins with the chunk that is wanted, and goes on with those before it", async () => {
  const store = new MemoryStore();
  await using server = await FaultServer.start({ "w.safetensors": FILE });
  const checkpoint = openCheckpoint(server.url, { store });
  const file = await opened(checkpoint.open("w.safetensors"));
  expect((await streamed(file, CHUNK + 5, 2 * CHUNK)).equals(Buffer.from(FILE.subarray(CHUNK + 5, 2 * CHUNK)))).toBe(true);
  expect(await checkpoint.verify()).toBe("sound");
  expect(store.chunks.size).toBe(4);
  expect(server.fileLog.slice(1)).toEqual([`GET /w.safetensors bytes=${CHUNK}-${FILE.byteLength - 1}`, `GET /w.safetensors bytes=262144-${CHUNK - 1}`]);
});

test("ranges read one after another share one request", async () => {
  for (const store of [new MemoryStore(), undefined]) {
    await using server = await FaultServer.start({ "w.safetensors": FILE });
    const file = await opened(openCheckpoint(server.url, { store }).open("w.safetensors"));
    const parts: Buffer[] = [];
    for (let begin = 0; begin < FILE.byteLength; begin += 100_001) {
      parts.push(await streamed(file, begin, Math.min(begin + 100_001, FILE.byteLength)));
    }
    expect(Buffer.concat(parts).equals(FILE)).toBe(true);
    expect(server.fileLog).toHaveLength(2);
  }
});

test("ranges read in any order and at the same time are right", async () => {
  for (const store of [new MemoryStore(), undefined]) {
    await using server = await FaultServer.start({ "w.safetensors": FILE });
    const file = await opened(openCheckpoint(server.url, { store }).open("w.safetensors"));
    const ranges = [[3 * CHUNK, FILE.byteLength], [0, 10], [CHUNK - 5, CHUNK + 5], [0, FILE.byteLength], [7, 7], [2 * CHUNK, 3 * CHUNK]];
    const found = await Promise.all(ranges.map(([begin, end]) => file.read(begin, end)));
    for (const [i, [begin, end]] of ranges.entries()) expect(Buffer.from(FILE.subarray(begin, end)).equals(found[i])).toBe(true);
  }
});

test("a header is read without the rest of its file", async () => {
  const store = new MemoryStore();
  await using server = await FaultServer.start({ "w.safetensors": FILE });
  const file = await opened(openCheckpoint(server.url, { store }).open("w.safetensors"));
  expect(Buffer.from(await file.read(8, 300_000)).equals(Buffer.from(FILE.subarray(8, 300_000)))).toBe(true);
  expect(server.fileLog).toEqual(["GET /w.safetensors bytes=0-262143", "GET /w.safetensors bytes=262144-299999"]);
  expect(store.chunks.size).toBe(0);
});

test("a new version of a file drops the stored chunks of the old one", async () => {
  const store = new MemoryStore();
  await using server = await FaultServer.start({ "w.safetensors": FILE });
  server.etags.set("w.safetensors", '"v1"');
  server.faults = [undefined, faults.stallAfter(CHUNK)];
  await readUntilStored(await opened(openCheckpoint(server.url, { store }).open("w.safetensors")), store, 1);
  const changed = patternBytes(FILE.byteLength, 99);
  server.files.set("w.safetensors", changed);
  server.etags.set("w.safetensors", '"v2"');
  const checkpoint = openCheckpoint(server.url, { store });
  expect((await streamed(await opened(checkpoint.open("w.safetensors")))).equals(changed)).toBe(true);
  await checkpoint.verify();
  expect(store.chunks.size).toBe(4);
});

test("a broken connection is resumed inside a chunk", async () => {
  const store = new MemoryStore();
  await using server = await FaultServer.start({ w: FILE });
  server.faults = [undefined, faults.silentlyEndAfter(CHUNK + 77)];
  expect((await streamed(await opened(openCheckpoint(server.url, { store }).open("w")))).equals(FILE)).toBe(true);
  expect(server.fileLog.at(-1)).toBe(`GET /w bytes=${262_144 + CHUNK + 77}-${FILE.byteLength - 1}`);
  expect(store.chunks.size).toBe(4);
});

test("a chunk that vanished from the store, or changed in it, is fetched again, and no other", async () => {
  for (const spoil of [(store: MemoryStore, id: string) => store.chunks.delete(id), (store: MemoryStore, id: string) => (store.chunks.get(id)![77] ^= 4)]) {
    const store = new MemoryStore();
    await using server = await FaultServer.start({ w: FILE });
    await streamed(await opened(openCheckpoint(server.url, { store }).open("w")));
    spoil(store, `${server.url}|w@size:${FILE.byteLength}|2`);
    server.clearLog();
    const repaired = openCheckpoint(server.url, { store });
    expect((await streamed(await opened(repaired.open("w")))).equals(FILE)).toBe(true);
    await repaired.verify(); // until then a reader may be ahead of the store
    expect(server.fileLog).toEqual([`GET /w bytes=${2 * CHUNK}-${3 * CHUNK - 1}`]);
    server.clearLog();
    expect((await streamed(await opened(openCheckpoint(server.url, { store }).open("w")))).equals(FILE)).toBe(true);
    expect(server.fileLog).toEqual([]);
  }
});

test("a full disk ends the read, or is reported and survived where someone listens", async () => {
  const store = new MemoryStore();
  store.failPuts = new HearthError("storage", "full");
  await using server = await FaultServer.start({ w: FILE });
  await expect(streamed(await opened(openCheckpoint(server.url, { store }).open("w")))).rejects.toMatchObject({ code: "storage" });
  const reported: string[] = [];
  const survivor = openCheckpoint(server.url, { store, onStorageError: (error) => reported.push(error.message) });
  expect((await streamed(await opened(survivor.open("w")))).equals(FILE)).toBe(true);
  expect(reported).toEqual(["full"]);
});

test("an abort ends a stream with the platform's AbortError and keeps stored chunks", async () => {
  const store = new MemoryStore();
  await using server = await FaultServer.start({ "w.safetensors": FILE });
  const file = await opened(openCheckpoint(server.url, { store }).open("w.safetensors"));
  server.faults = [faults.stallAfter(CHUNK)];
  await readUntilStored(file, store, 1);
  expect(store.chunks.size).toBe(1);
  expect((await streamed(file)).equals(FILE)).toBe(true);
  expect(server.fileLog.at(-1)).toBe(`GET /w.safetensors bytes=${CHUNK}-${FILE.byteLength - 1}`);
});

test("a check that was called off before it begins downloads nothing", async () => {
  const store = new MemoryStore();
  await using server = await FaultServer.start({ "w.safetensors": FILE });
  const checkpoint = openCheckpoint(server.url, { store });
  await opened(checkpoint.open("w.safetensors"));
  server.clearLog();
  await expect(checkpoint.verify(AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
  expect(store.chunks.size).toBe(0);
  expect(server.log).toEqual([]);
});

test("stored models are listed with bytes and completeness, and removed one at a time", async () => {
  const store = new MemoryStore();
  await using server = await FaultServer.start({ "a/model.safetensors": FILE, "a/config.json": "{}", "b/model.safetensors": FILE });
  const [a, b] = ["a", "b"].map((folder) => openCheckpoint(`./${folder}`, { store, baseUrl: server.url }));
  await streamed(await opened(a.open("model.safetensors")));
  await streamed(await opened(a.open("config.json")));
  server.faults = [undefined, faults.stallAfter(CHUNK)];
  await readUntilStored(await opened(b.open("model.safetensors")), store, 5 + 1);
  expect(await listStoredModels(store)).toEqual([
    { id: `${server.url}b/`, bytes: CHUNK, complete: false, savedAt: expect.any(Number), usedAt: expect.any(Number), pinned: false },
    { id: `${server.url}a/`, bytes: FILE.byteLength + 2, complete: true, savedAt: expect.any(Number), usedAt: expect.any(Number), pinned: false },
  ]);
  await removeStoredModel(`${server.url}a/`, store);
  expect((await listStoredModels(store)).map(({ id }) => id)).toEqual([`${server.url}b/`]);
});

test("without IndexedDB there is no store, nothing is listed, and checkpoints load from the network", async () => {
  expect(await openShardStore()).toBeUndefined();
  expect(await listStoredModels()).toEqual([]);
  await removeStoredModel("any");
  await using server = await FaultServer.start({ w: FILE });
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
  const steps = progress.map(({ loadedBytes }) => loadedBytes);
  expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
  expect(steps.at(-1)).toBe(9_000_000);
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
    for (const source of ["./models/x", "/models/x/", "https://host.example/m?sig=1#f", "../y"]) {
      expect(await openCheckpoint(source, options).open("config.json")).toBeUndefined();
    }
    for (const [repo, revision] of [["org/na.me-1", undefined], ["org/name", "refs/pr/1"]] as const) {
      await expect(openCheckpoint(repo, { ...options, revision }).open("config.json")).rejects.toMatchObject({ code: "file-not-found" });
    }
  } finally {
    globalThis.fetch = realFetch;
  }
  const folder = (address: string, query = "") => [[`${address}hearth.json${query}`, null], [`${address}config.json${query}`, null]];
  expect(requests).toEqual([
    ...folder("https://page.example/chat/models/x/"),
    ...folder("https://page.example/models/x/"),
    ...folder("https://host.example/m/", "?sig=1"),
    ...folder("https://page.example/y/"),
    ["https://huggingface.co/api/models/org/na.me-1/revision/main", "Bearer hf_secret"],
    ["https://huggingface.co/api/models/org/name/revision/refs%2Fpr%2F1", "Bearer hf_secret"],
  ]);
});

test("a checkpoint tells its files where its source does", async () => {
  await using server = await FaultServer.start({ w: FILE });
  const names = ["a.safetensors", "folder/b.json"];
  expect(await openCheckpoint(server.url).list()).toBeUndefined();
  server.addFolder(Object.fromEntries(names.map((name) => [name, FILE])));
  expect(await openCheckpoint(server.url).list()).toEqual(names);
  server.publish("org/name", Object.fromEntries(names.map((name) => [name, FILE])));
  expect(await openCheckpoint("org/name", { endpoint: server.hub }).list()).toEqual(names);
  expect(await openCheckpoint([new File(["{}"], "config.json")]).list()).toEqual(["config.json"]);
});

test("a listing without an end is given up", async () => {
  await using server = await FaultServer.start();
  const endless: Fault = (request, response) => response.writeHead(200, { Link: `<${request.url}&cursor=1>; rel="next"` }).end("[]");
  server.hubFaults = Array.from({ length: 200 }, () => endless);
  const checkpoint = openCheckpoint("org/name", { endpoint: server.hub, revision: "0".repeat(40) });
  await expect(checkpoint.open("config.json")).rejects.toMatchObject({ code: "network", message: expect.stringContaining("100 pages") });
  expect(server.log).toHaveLength(100);
});

test("a source that is none of these is refused with the forms that are", () => {
  for (const source of ["", "name", "a/b/c", "ftp://host/x", "org/", "javascript:alert(1)", "./x"]) {
    expect(() => openCheckpoint(source)).toThrow(/org\/name/);
  }
});
