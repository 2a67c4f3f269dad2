import { expect, test } from "@playwright/test";

import type { FileFacts, RemoteFile } from "../../src/storage/answers.ts";
import { fetchRange, probe } from "../../src/storage/http.ts";
import { NetworkReader } from "../../src/storage/network_reader.ts";

import { FaultServer } from "../support/fault_server.ts";
import { faults, type Fault } from "../support/faults.ts";
import { patternBytes } from "./storage_support.ts";

const QUICK = { attempts: 3, baseDelayMs: 1, stallMs: 2000 };
const FILE = patternBytes(700_000);
const FACTS: FileFacts = { byteLength: FILE.byteLength, validator: `size:${FILE.byteLength}` };

async function fetchAll(remote: RemoteFile, begin = 0, end = FILE.byteLength, facts = FACTS): Promise<Buffer> {
  const slices: Uint8Array[] = [];
  for await (const slice of fetchRange(remote, begin, end, facts, { retry: QUICK })) slices.push(slice.slice());
  return Buffer.concat(slices);
}

const part = (begin: number, end: number) => Buffer.from(FILE.subarray(begin, end));

test("a probe learns length, version and first bytes in one request", async () => {
  await using server = await FaultServer.start({ "w.safetensors": FILE, "c.json": "{}" });
  server.etags.set("w.safetensors", '"v1"');
  const found = await probe(server.remote("w.safetensors"));
  expect(found).toMatchObject({ byteLength: 700_000, validator: 'etag:"v1"' });
  expect(part(0, 262_144).equals(found!.head)).toBe(true);
  expect(await probe(server.remote("c.json"))).toMatchObject({ byteLength: 2, head: new TextEncoder().encode("{}") });
  expect(server.log).toEqual(["GET /w.safetensors bytes=0-262143", "GET /c.json bytes=0-262143"]);
});

test("a file that is missing, forbidden as stores do it, or answered with a web page probes as undefined", async () => {
  await using server = await FaultServer.start({ "config.json": "{}" });
  expect(await probe(server.remote("chat_template.jinja"))).toBeUndefined();
  server.faults = [faults.status(403), faults.webPage];
  expect(await probe(server.remote("config.json"))).toBeUndefined();
  expect(await probe(server.remote("config.json"))).toBeUndefined();
});

test("an empty file probes as empty", async () => {
  await using server = await FaultServer.start({ "empty.json": "" });
  expect(await probe(server.remote("empty.json"))).toMatchObject({ byteLength: 0 });
});

test("a probe works where ranges, the length or Content-Range are not to be had", async () => {
  await using server = await FaultServer.start({ w: FILE });
  for (const fault of [faults.withoutRanges, faults.withoutLength, faults.hiddenContentRange]) {
    server.always = fault;
    const found = await probe(server.remote("w"));
    expect(found?.byteLength).toBe(FILE.byteLength);
    expect(part(0, found!.head.byteLength).equals(found!.head)).toBe(true);
  }
});

test("refused access is an error at once and advises a token", async () => {
  await using server = await FaultServer.start({ w: FILE });
  server.always = faults.status(401);
  await expect(probe(server.remote("w"))).rejects.toMatchObject({ code: "access-denied", message: expect.stringContaining("token") });
  expect(server.log).toHaveLength(1);
});

test("a range is fetched exactly, with one plain Range and no header that needs a preflight", async () => {
  await using server = await FaultServer.start({ w: FILE });
  expect((await fetchAll(server.remote("w"), 1000, 300_000)).equals(part(1000, 300_000))).toBe(true);
  expect(server.log).toEqual(["GET /w bytes=1000-299999"]);
});

const survived: [title: string, first: (Fault | undefined)[]][] = [
  ["a connection cut in the middle", [faults.cutAfter(100_000)]],
  ["a body that ends early without an error", [faults.silentlyEndAfter(100_000)]],
  ["three cuts that each bring bytes", [faults.cutAfter(10), faults.silentlyEndAfter(10), faults.cutAfter(10), faults.cutAfter(10)]],
  ["a dropped connection", [faults.drop, faults.drop]],
  ["status 503", [faults.status(503)]],
  ["status 429 with Retry-After", [faults.status(429, { "Retry-After": "0" })]],
  ["an expired link", [faults.status(403)]],
  ["a reset connection", [faults.cutAfter(300_000)]],
  ["a chunked body without its end", [faults.chunkedCutAfter(300_000)]],
  ["a body that ends with the connection", [faults.silentlyCloseAfter(300_000)]],
  ["a Content-Length that is too short", [faults.shortLength(1000)]],
  ["a Content-Length that is too long", [faults.longLength(1000)]],
  ["a web page in between", [faults.webPage]],
  ["a wrong Content-Range", [faults.shiftedBy(7)]],
  ["a server without ranges", [faults.withoutRanges]],
  ["a server without ranges after a cut", [faults.cutAfter(100_000), faults.withoutRanges]],
  ["a hidden Content-Range", [faults.hiddenContentRange]],
];

for (const [title, first] of survived) {
  test(`a range survives ${title}`, async () => {
    await using server = await FaultServer.start({ w: FILE });
    server.faults = [...first];
    expect((await fetchAll(server.remote("w"), 5000)).equals(part(5000, FILE.byteLength))).toBe(true);
  });
}

test("a resumed range asks only for the bytes that are missing", async () => {
  await using server = await FaultServer.start({ w: FILE });
  server.faults = [faults.silentlyEndAfter(100_000)];
  await fetchAll(server.remote("w"));
  expect(server.log).toEqual(["GET /w bytes=0-699999", "GET /w bytes=100000-699999"]);
});

test("a range that keeps failing ends with what was received and where from", async () => {
  await using server = await FaultServer.start({ w: FILE });
  server.faults = [faults.silentlyEndAfter(1000)];
  server.always = faults.status(503);
  await expect(fetchAll(server.remote("w"))).rejects.toMatchObject({
    code: "network", message: expect.stringMatching(/^w: received 1000 of 700000 bytes from http:.*status 503/),
  });
  expect(server.log).toHaveLength(QUICK.attempts);
});

test("a file that changes while it is read is an error at once", async () => {
  await using server = await FaultServer.start({ w: FILE });
  server.etags.set("w", '"v2"');
  await expect(fetchAll(server.remote("w"), 0, 10, { ...FACTS, validator: 'etag:"v1"' })).rejects.toThrow(/changed/);
  await expect(fetchAll(server.remote("w"), 0, 10, { ...FACTS, byteLength: 10 })).rejects.toThrow(/changed/);
  server.files.delete("w");
  await expect(fetchAll(server.remote("w"))).rejects.toThrow(/changed/);
});

test("an abort ends a range with the reason it was given, also while waiting to retry", async () => {
  await using server = await FaultServer.start({ w: FILE });
  server.always = faults.status(503);
  const slices = fetchRange(server.remote("w"), 0, 10, FACTS, { signal: AbortSignal.timeout(30), retry: { ...QUICK, baseDelayMs: 1e6 } });
  await expect(slices.next()).rejects.toMatchObject({ name: "TimeoutError" });
});

test("a reader that was called off before it reads asks for nothing", async () => {
  await using server = await FaultServer.start({ w: FILE });
  const reader = new NetworkReader(server.remote("w"), 0, FILE.byteLength, FACTS, QUICK);
  await expect(reader.take(10, AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
  expect(server.log).toEqual([]);
});

test("a server that goes silent is asked again for the rest", async () => {
  await using server = await FaultServer.start({ w: FILE });
  server.faults = [faults.stallAfter(1000), faults.stallAfter(0)];
  const slices: Uint8Array[] = [];
  const retry = { ...QUICK, stallMs: 50 };
  for await (const slice of fetchRange(server.remote("w"), 0, FILE.byteLength, FACTS, { retry })) slices.push(slice.slice());
  expect(Buffer.concat(slices).equals(FILE)).toBe(true);
  expect(server.log.slice(0, 2)).toEqual(["GET /w bytes=0-699999", "GET /w bytes=1000-699999"]);
});

test("leaving the loop closes the connection", async () => {
  await using server = await FaultServer.start({ w: FILE });
  let closed = false;
  server.faults = [(request, response, bytes) => {
    response.writeHead(206, { "Content-Range": `bytes 0-699999/${bytes.byteLength}` });
    response.write(bytes.subarray(0, 1000));
    request.socket.on("close", () => (closed = true));
  }];
  for await (const slice of fetchRange(server.remote("w"), 0, FILE.byteLength, FACTS)) {
    expect(slice.byteLength).toBe(1000);
    break;
  }
  await expect.poll(() => closed).toBe(true);
});
