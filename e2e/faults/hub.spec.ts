import { expect } from "../support/fixtures.ts";
import { sha256 } from "../support/fault_server.ts";
import { faults } from "../support/faults.ts";
import { randomBytes } from "../support/random_bytes.ts";
import { MEBIBYTE, PAGE, QUICK, test } from "./faults_setting.ts";

const REPO = "org/model";
const SHARDS = Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`model-0000${n}-of-00005.safetensors`, randomBytes(MEBIBYTE, n)]));
const FILES = { "config.json": new TextEncoder().encode('{"a":1}'), "tokenizer.json": randomBytes(150_000, 9), ...SHARDS };
const FLIPS = process.env.HEARTH_LONG ? 200 : 20; // in transit, and as many at rest
const NAMES = [...Object.keys(FILES), "chat_template.jinja"];

test("promise 17: a load takes few requests", async ({ server, read, measured }) => {
  for (const token of [undefined, "hf_secret"]) {
    const repo = `org/${token ?? "open"}`;
    server.publish(repo, FILES);
    server.repos.get(repo)!.token = token; // just published
    server.clearLog();
    const { error, hashes } = await read({ source: repo, endpoint: server.hub, files: NAMES, token, retry: { ...QUICK, stallMs: 20_000 } }); // a slow machine is no stall
    expect(error).toBeUndefined();
    for (const [name, bytes] of Object.entries(FILES)) expect(hashes[name]).toBe(sha256(bytes));
    expect(hashes["chat_template.jinja"]).toBeUndefined();
    const count = (test: (request: (typeof server.requests)[number]) => boolean) => server.requests.filter(test).length;
    const api = count(({ path, method }) => method !== "OPTIONS" && (path.startsWith("/api/") || path.endsWith("/batch")));
    const gets = count(({ origin, path, method }) => method === "GET" && origin === "hub" && !path.startsWith("/api/"));
    const preflights = server.requests.filter(({ method }) => method === "OPTIONS").map(({ origin, path }) => origin + path);
    expect(api).toBeLessThanOrEqual(3);
    expect(gets).toBeLessThanOrEqual(Object.keys(FILES).length);
    expect(preflights).toEqual(token === undefined ? [] : [...new Set(preflights)]);
    measured(`${token ? "with a token" : "anonymous"}: ${api} API calls, ${gets} GETs for 5 shards and 2 files, ${preflights.length} preflights`);
  }
});

test("promise 56: a token goes to the hub alone, also when the links that it got expire", async ({ server, read, measured }) => {
  server.publish(REPO, FILES);
  server.repos.get(REPO)!.token = "hf_secret"; // just published
  let expired = false;
  server.onRequest = ({ origin }) => {
    if (expired || origin !== "cdn") return;
    expired = true;
    server.expireLinks();
  };
  const { error, hashes } = await read({ source: REPO, endpoint: server.hub, files: NAMES, token: "hf_secret" });
  expect(error).toBeUndefined();
  for (const [name, bytes] of Object.entries(FILES)) expect(hashes[name]).toBe(sha256(bytes));
  const atCdn = server.requests.filter(({ origin }) => origin === "cdn");
  expect(atCdn.length).toBeGreaterThan(Object.keys(SHARDS).length); // one was refused
  expect(atCdn.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  measured(`${atCdn.length} requests at the file servers, 0 with the token`);
});

test("a mirror that gives no links serves a gated repo by its redirects", async ({ server, read, browserName }) => {
  server.publish(REPO, FILES);
  server.repos.get(REPO)!.token = "hf_secret"; // just published
  server.hasBatches = false;
  const { error, hashes } = await read({ source: REPO, endpoint: server.hub, files: NAMES, token: "hf_secret" });
  expect(error).toBeUndefined();
  for (const [name, bytes] of Object.entries(FILES)) expect(hashes[name]).toBe(sha256(bytes));
  const passedOn = server.requests.filter(({ origin, authorization }) => origin === "cdn" && authorization !== undefined);
  if (browserName === "chromium") expect(passedOn).toEqual([]); // Firefox keeps the header across some redirects, which a page can neither see nor prevent
});

test("a listing of several pages is read whole, and asked for at the endpoint alone", async ({ server, read }) => {
  server.publish(REPO, FILES);
  server.treePageSize = 3;
  server.treeOrigin = "https://elsewhere.example"; // a mirror that passes on the Hub's own addresses
  const { error, hashes } = await read({ source: REPO, endpoint: server.hub, files: NAMES });
  expect(error).toBeUndefined();
  for (const [name, bytes] of Object.entries(FILES)) expect(hashes[name]).toBe(sha256(bytes));
  expect(server.requests.filter(({ path }) => path.includes("/tree/"))).toHaveLength(3);
});

test("promise 18: versions never mix, and the stored one runs offline until the new one is whole", async ({ server, read, harness, measured }) => {
  const first = server.publish(REPO, FILES);
  const changed = { ...FILES, "config.json": new TextEncoder().encode('{"a":2}'), "model-00001-of-00005.safetensors": randomBytes(MEBIBYTE, 77) };
  let second = "";
  server.onRequest = ({ path }) => {
    if (second === "" && path.endsWith("model-00001-of-00005.safetensors")) second = server.publish(REPO, changed);
  };
  const before = await read({ source: REPO, endpoint: server.hub, files: NAMES });
  expect(before.hashes["model-00001-of-00005.safetensors"]).toBe(sha256(SHARDS["model-00001-of-00005.safetensors"]));
  const asked = server.requests.filter(({ origin, path }) => origin === "hub" && path.includes("/resolve/"));
  expect(asked.filter(({ path }) => !path.includes(`/resolve/${first}/`))).toEqual([]);

  // The branch has moved: noticed online, but the update breaks off, and offline the old version still loads.
  server.always = faults.drop;
  const broken = await read({ source: REPO, endpoint: server.hub, files: NAMES, retry: { attempts: 2, baseDelayMs: 1, stallMs: 500 } });
  expect(broken.error).toMatchObject({ code: "network" });
  expect(server.requests.some(({ path }) => path.includes(`/resolve/${second}/`))).toBe(true);
  server.hubFaults = Array.from({ length: 20 }, () => faults.drop);
  const offline = await read({ source: REPO, endpoint: server.hub, files: NAMES });
  expect(offline).toMatchObject({ verdict: "sound", hashes: before.hashes });

  server.hubFaults = [];
  server.always = undefined;
  server.clearLog();
  const after = await read({ source: REPO, endpoint: server.hub, files: NAMES });
  for (const [name, bytes] of Object.entries(changed)) expect(after.hashes[name]).toBe(sha256(bytes));
  const fetched = server.requests.filter(({ origin, path }) => origin === "hub" && path.includes("/resolve/")).length;
  expect(fetched).toBeLessThanOrEqual(2);
  expect(await harness.run(PAGE, "versions", { checkpoint: REPO, file: "config.json" })).toHaveLength(1);
  measured(`${asked.length} of ${asked.length} requests carried the first commit; the update fetched ${fetched} of 7 files`);
});

test("promise 15: refusals are told at once, by their kind", async ({ server, read, measured }) => {
  server.publish(REPO, FILES);
  server.repos.get(REPO)!.token = "hf_granted"; // just published
  const cases = [
    [{ source: REPO }, "access-denied", /GatedRepo.*/], [{ source: REPO, token: "hf_other" }, "access-denied", /GatedRepo/],
    [{ source: "org/none" }, "access-denied", /RepoNotFound/], [{ source: REPO, token: "hf_granted", revision: "nowhere" }, "file-not-found", /nowhere/],
  ] as const;
  for (const [request, code, words] of cases) {
    server.clearLog();
    const { error } = await read({ ...request, endpoint: server.hub, files: ["config.json"] });
    expect(error).toMatchObject({ code, message: expect.stringMatching(words) });
    expect(error?.message).not.toContain("hf_");
    expect(server.requests.filter(({ method }) => method === "GET")).toHaveLength(1);
  }
  measured("no token, no grant, no repo, no revision: one request each, no retry");
});

test("promise 23: bit flips are found before anything is used, in transit and at rest", async ({ server, read, readInPage, harness, measured }) => {
  server.publish(REPO, FILES);
  test.slow(FLIPS > 20);
  const names = ["tokenizer.json", "config.json", Object.keys(SHARDS)[0]] as (keyof typeof FILES)[];
  for (let flip = 0; flip < FLIPS; flip++) {
    const name = names[2 * (flip % 2)]; // only a large file comes from the cdn, where faults are
    server.faults = [faults.flipAt(flipOffset(flip, FILES[name]))];
    const { hashes, verdict } = await read({ source: REPO, endpoint: server.hub, files: [name] });
    expect({ hash: hashes[name], verdict }).toEqual({ hash: sha256(FILES[name]), verdict: "sound" });
    await harness.run(PAGE, "removeStored", REPO);
  }
  for (const [place, readHere] of [["file", read], ["database", readInPage]] as const) {
    await readHere({ source: REPO, endpoint: server.hub, files: names });
    for (let flip = 0; flip < FLIPS; flip++) {
      const name = names[flip % 3];
      const flipped = { checkpoint: REPO, file: name, index: 0, offset: flipOffset(flip, FILES[name]) };
      expect(await harness.runInWorker(PAGE, "flipStoredBit", flipped)).toBe(place);
      server.clearLog();
      const { hashes } = await readHere({ source: REPO, endpoint: server.hub, files: names });
      expect(hashes[name]).toBe(sha256(FILES[name]));
      expect(server.requests.filter(({ path, origin }) => origin === "hub" && path.includes("/resolve/"))).toHaveLength(1);
    }
    await harness.run(PAGE, "removeStored", REPO);
  }
  measured(`in transit ${FLIPS} of ${FLIPS}; at rest ${FLIPS} of ${FLIPS} in files and ${FLIPS} of ${FLIPS} in the database, with one request for the one chunk`);
});

/** The first and the last byte, then others all over the file. */
function flipOffset(flip: number, { byteLength }: Uint8Array): number {
  if (flip < 3) return 0;
  if (flip < 6) return byteLength - 1;
  return (Math.imul(flip, 0x9e3779b1) >>> 0) % byteLength;
}
