import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";

import { exportStoredModel, importStoredModel } from "../../src/storage/archive.ts";
import { openCheckpoint } from "../../src/storage/source.ts";
import { listStoredModels } from "../../src/storage/stored_models.ts";
import { readTarHeader, tarHeader } from "../../src/storage/tar.ts";
import { FaultServer } from "../support/fault_server.ts";
import { randomBytes } from "../support/random_bytes.ts";
import { MemoryStore } from "./storage_support.ts";

const FILES = { "config.json": new TextEncoder().encode("{}"), "model.safetensors": randomBytes(1_300_000) };

async function load(server: FaultServer, store: MemoryStore): Promise<Record<string, Buffer>> {
  const checkpoint = openCheckpoint("org/name", { endpoint: server.hub, store, retry: { attempts: 1, baseDelayMs: 1, stallMs: 1000 } });
  const read: Record<string, Buffer> = {};
  for (const name of Object.keys(FILES)) {
    const file = (await checkpoint.open(name))!; // published above
    read[name] = Buffer.from(await file.read(0, file.byteLength));
  }
  expect(await checkpoint.verify()).toBe("sound");
  return read;
}

async function exported(): Promise<{ server: FaultServer; archive: Blob }> {
  const server = await FaultServer.start();
  server.publish("org/name", FILES);
  const store = new MemoryStore();
  await load(server, store);
  return { server, archive: await new Response(await exportStoredModel("org/name", store)).blob() };
}

test("an exported model is a tar of the checkpoint's files", async () => {
  const { server, archive } = await exported();
  await server[Symbol.asyncDispose]();
  const folder = mkdtempSync(join(tmpdir(), "hearth-export-"));
  try {
    writeFileSync(join(folder, "model.tar"), Buffer.from(await archive.arrayBuffer()));
    execFileSync("tar", ["-xf", "model.tar"], { cwd: folder });
    expect(readdirSync(folder).sort()).toEqual(["config.json", "hearth-export.json", "model.safetensors", "model.tar"]);
    for (const [name, bytes] of Object.entries(FILES)) expect(readFileSync(join(folder, name)).equals(Buffer.from(bytes))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an imported model loads without a network, and is checked against its hashes", async () => {
  const { server, archive } = await exported();
  await server[Symbol.asyncDispose](); // offline from here on
  const store = new MemoryStore();
  expect(await importStoredModel(archive, store)).toBe("org/name");
  expect(await listStoredModels(store)).toMatchObject([{ id: "org/name", complete: true, bytes: 1_300_002 }]);
  const read = await load(server, store);
  for (const [name, bytes] of Object.entries(FILES)) expect(read[name].equals(Buffer.from(bytes))).toBe(true);
});

test("a damaged or cut export is refused by the part that is wrong", async () => {
  const { server, archive } = await exported();
  await server[Symbol.asyncDispose]();
  const bytes = new Uint8Array(await archive.arrayBuffer());
  const flipped = bytes.slice();
  flipped[bytes.byteLength - 5000] ^= 1;
  await expect(importStoredModel(new Blob([flipped]), new MemoryStore())).rejects.toThrow(/part 2 of model\.safetensors/);
  await expect(importStoredModel(new Blob([bytes.slice(0, 600_000)]), new MemoryStore())).rejects.toThrow(/expected at least/);
  await expect(importStoredModel(new Blob([new Uint8Array(2000)]), new MemoryStore())).rejects.toMatchObject({ code: "corrupt-checkpoint" });
});

test("a model that is not stored whole is not exported", async () => {
  await expect(exportStoredModel("org/none", new MemoryStore())).rejects.toMatchObject({ code: "storage", message: expect.stringContaining("none") });
});

test("sizes from 8 GiB on survive a tar header", () => {
  for (const byteLength of [0, 5, 8 ** 11 - 1, 8 ** 11, 2 ** 40]) {
    expect(readTarHeader(tarHeader("w", byteLength))).toEqual({ name: "w", byteLength });
  }
});
