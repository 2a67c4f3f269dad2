import { expect, test } from "@playwright/test";

import { freshRecord, withChunk, type FileRecord } from "../../src/storage/file_record.ts";

const hashOf = (chunks: number): FileRecord["hashed"] => ({ chunks, state: { kind: "plain", bytes: new Uint8Array(1) } });
const chunk = (index: number, hashed?: FileRecord["hashed"]) => ({ index, bytes: new Uint8Array(4), checksum: 1, hashed });

test("a record keeps the hash of its first chunks while all that it covers is stored as it was hashed", () => {
  const empty = freshRecord({ checkpoint: "a", file: "f" }, { byteLength: 12, validator: "sha256:0" }, 4);
  const one = withChunk(empty, chunk(0, hashOf(1)));
  expect(one.hashed).toEqual(hashOf(1));
  expect(withChunk(one, chunk(1, hashOf(2))).hashed).toEqual(hashOf(2));
  expect(withChunk(one, chunk(2)).hashed).toEqual(hashOf(1)); // what comes out of order is not covered
  expect(withChunk(one, chunk(0)).hashed).toBeUndefined(); // replaced by other bytes
  expect(withChunk(empty, chunk(1, hashOf(2))).hashed).toBeUndefined(); // the first could not be stored
});
