import { HearthError } from "../errors.ts";

import type { Checkpoint, CheckpointFile, FileProgress } from "./checkpoint.ts";
import type { RemoteFile } from "./http.ts";
import { pickedCheckpoint } from "./picked_files.ts";
import type { ShardStore } from "./shard_store.ts";
import { openStoredFile } from "./stored_file.ts";

/** How the files of a checkpoint are found and kept. */
export interface CheckpointOptions {
  /** Branch, tag or commit of a Hub repo. Default "main". */
  revision?: string;
  /** Hub access token; it is sent to the Hub's origin only. */
  token?: string;
  /** What relative addresses are relative to: the page's address, which a worker does not know. */
  baseUrl?: string;
  /** Where files are kept between visits. Without it every load comes from the network. */
  store?: ShardStore;
  onProgress?: (progress: FileProgress) => void;
  /** Called when a file can no longer be stored; reading goes on without storing. Without it the read fails. */
  onStorageError?: (error: HearthError) => void;
}

interface Location {
  id: string;
  folder: string;
  headers: Readonly<Record<string, string>>;
  absentStatuses: readonly number[];
}

const HUB = "https://huggingface.co";
const HUB_ID = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

/** Open a checkpoint by Hub id ("org/name"), by the address of its folder, or from picked files. */
export function openCheckpoint(source: string | readonly File[], options: CheckpointOptions = {}): Checkpoint {
  if (typeof source !== "string") return pickedCheckpoint(source, options.onProgress);
  const location = HUB_ID.test(source) ? hubLocation(source, options) : folderLocation(source, options);
  const opened = new Map<string, CheckpointFile>();
  return {
    id: location.id,
    async open(name, signal) {
      const known = opened.get(name);
      if (known !== undefined) return known;
      const { store, onProgress, onStorageError } = options;
      const key = { checkpoint: location.id, file: name };
      const file = await openStoredFile({ remote: remoteFile(location, name), key, store, onProgress, onStorageError }, signal);
      if (file !== undefined) opened.set(name, file);
      return file;
    },
  };
}

function hubLocation(repo: string, { revision = "main", token }: CheckpointOptions): Location {
  return {
    // Revisions are stored apart: a page may load two of one repo.
    id: revision === "main" ? repo : `${repo}@${revision}`,
    folder: `${HUB}/${repo}/resolve/${encodeURIComponent(revision)}/`,
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    absentStatuses: [404],
  };
}

function folderLocation(address: string, { baseUrl }: CheckpointOptions): Location {
  const isAddress = /^[a-z][a-z0-9+.-]*:/i.test(address) || address.startsWith(".") || address.startsWith("/");
  const base = baseUrl ?? globalThis.location?.href;
  const url = isAddress && URL.canParse(address, base) ? new URL(address, base) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new HearthError(
      "invalid-options",
      `model: expected a Hub id such as "org/name", an http(s) address, or a path that begins with "./" or "/", found ${JSON.stringify(address)}`,
    );
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  url.hash = "";
  // Stores such as S3 answer 403 for a file that they do not have, unless listing is allowed.
  return { id: url.href, folder: url.href, headers: {}, absentStatuses: [403, 404, 410] };
}

function remoteFile({ folder, headers, absentStatuses }: Location, name: string): RemoteFile {
  if (name === "" || name.startsWith("/") || name.split("/").includes("..")) {
    throw new HearthError("corrupt-checkpoint", `expected the name of a file inside the checkpoint, found ${JSON.stringify(name)}`);
  }
  const url = new URL(folder);
  url.pathname += name.split("/").map(encodeURIComponent).join("/");
  return { name, url: url.href, headers, absentStatuses };
}
