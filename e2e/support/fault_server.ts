import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { RemoteFile } from "../../src/storage/answers.ts";
import { answer, type Fault } from "./faults.ts";

/** One request as it arrived, and what was sent for it. */
export interface LoggedRequest {
  origin: "hub" | "cdn";
  method: string;
  path: string;
  range: string | undefined;
  pageOrigin: string | undefined;
  authorization: string | undefined;
  /** Bytes put on the wire, headers included; complete once the connection is done with this request. */
  sentBytes: number;
}

/** A repo of the hub. */
export interface HubRepo {
  /** Files of each commit. */
  commits: Map<string, Map<string, Uint8Array>>;
  /** Commits by branch. */
  branches: Map<string, string>;
  /** The token that opens a gated repo; "refused" is a token without a grant. */
  token?: string;
}

const LFS_BYTES = 100_000; // the Hub keeps larger files outside of git
const EXPOSED = "Accept-Ranges, Content-Range, Content-Type, Content-Disposition, ETag, X-Error-Code, X-Error-Message, RateLimit, Retry-After, Link";

/**
 * Two origins that misbehave on demand: "hub", which speaks the Hub's API and redirects large files to signed links, and
 * "cdn", which serves them, and any folder besides. Everything is in memory and nothing is random.
 */
export class FaultServer implements AsyncDisposable {
  readonly requests: LoggedRequest[] = [];
  /** Files of the plain folder on the cdn, by path. */
  readonly files: Map<string, Uint8Array>;
  /** ETags of the plain folder's files; a file without one gets none. */
  readonly etags = new Map<string, string>();
  readonly repos = new Map<string, HubRepo>();
  /** Faults for the next requests to the cdn, first come first served; undefined answers well. */
  faults: (Fault | undefined)[] = [];
  /** Fault for every request to the cdn that `faults` leaves. */
  always: Fault | undefined;
  /** Faults for the next requests to the hub. */
  hubFaults: (Fault | undefined)[] = [];
  /** Files on one page of the hub's listings. */
  treePageSize = 1000;
  /** Where the hub says that the next page of a listing is; a mirror may pass on the address of what it mirrors. */
  treeOrigin: string | undefined;
  /** Whether the hub speaks Git LFS's batch API; a mirror may not. */
  hasBatches = true;
  /** Called before a request is answered. */
  onRequest: (request: LoggedRequest) => void = () => {};
  readonly #servers: Record<LoggedRequest["origin"], Server>;
  /** Answers that are being sent. */
  openAnswers = 0;
  readonly #lfs = new Map<string, Uint8Array>();
  readonly #ports = new Map<LoggedRequest["origin"], number>();
  #linkAge = 0;

  private constructor(files: Map<string, Uint8Array>) {
    this.files = files;
    this.#servers = { hub: this.#listener("hub"), cdn: this.#listener("cdn") };
  }

  /** Start both origins on free ports, the plain folder holding these files. */
  static async start(files: Record<string, Uint8Array | string> = {}): Promise<FaultServer> {
    const server = new FaultServer(new Map(Object.entries(files).map(([name, content]) => [name, toBytes(content)])));
    for (const origin of ["hub", "cdn"] as const) {
      await new Promise<void>((resolve) => server.#servers[origin].listen(0, "localhost", resolve));
      server.#ports.set(origin, (server.#servers[origin].address() as AddressInfo).port); // a TCP server's address is no string
    }
    return server;
  }

  /** Address of the plain folder. */
  get url(): string {
    return `${this.#originOf("cdn")}/`;
  }

  /** Address to pass as `endpoint`. */
  get hub(): string {
    return this.#originOf("hub");
  }

  /** "GET /name bytes=a-b" of every request so far. */
  get log(): string[] {
    return this.requests.map(({ method, path, range }) => `${method} ${path} ${range ?? "whole"}`);
  }

  /** The same without the question for a manifest. */
  get fileLog(): string[] {
    return this.log.filter((line) => line !== "GET /hearth.json whole");
  }

  /** Bytes of bodies and headers that the cdn has sent. */
  get servedBytes(): number {
    return this.requests.reduce((sum, { origin, sentBytes }) => sum + (origin === "cdn" ? sentBytes : 0), 0);
  }

  /** Forget the requests so far. */
  clearLog(): void {
    this.requests.length = 0;
  }

  /** A plain file as the storage code asks for it. */
  remote(name: string): RemoteFile {
    return { name, url: this.url + name, headers: {}, absentStatuses: [403, 404] };
  }

  /** Put files and their manifest, `hearth.json`, into the plain folder. */
  addFolder(files: Record<string, Uint8Array>): void {
    for (const [name, bytes] of Object.entries(files)) this.files.set(name, bytes);
    const listed = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, { size: bytes.byteLength, sha256: sha256(bytes) }]));
    this.files.set("hearth.json", toBytes(JSON.stringify({ files: listed })));
  }

  /** Commit files to a branch of a repo; returns the commit. */
  publish(repo: string, files: Record<string, Uint8Array | string>, branch = "main"): string {
    const contents = new Map(Object.entries(files).map(([name, content]) => [name, toBytes(content)]));
    const hash = createHash("sha1");
    for (const [name, bytes] of contents) hash.update(name).update(bytes);
    const commit = hash.digest("hex");
    const known = this.repos.get(repo) ?? { commits: new Map(), branches: new Map() };
    known.commits.set(commit, contents);
    known.branches.set(branch, commit);
    this.repos.set(repo, known);
    return commit;
  }

  /** Make every signed link that was handed out so far answer 403. */
  expireLinks(): void {
    this.#linkAge++;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const close = (server: Server) => new Promise((resolve) => server.close(resolve));
    for (const server of Object.values(this.#servers)) server.closeAllConnections();
    await Promise.all(Object.values(this.#servers).map(close));
  }

  #originOf(origin: LoggedRequest["origin"]): string {
    return `http://localhost:${this.#ports.get(origin)}`;
  }

  #listener(origin: LoggedRequest["origin"]): Server {
    return createServer((request, response) => {
      response.setHeader("Access-Control-Allow-Origin", "*");
      response.setHeader("Access-Control-Expose-Headers", EXPOSED);
      const { method = "GET", url = "/", headers, socket } = request;
      const logged: LoggedRequest = {
        origin, method, path: decodeURIComponent(new URL(url, "http://x").pathname), range: headers.range,
        pageOrigin: headers.origin, authorization: headers.authorization, sentBytes: 0,
      };
      this.requests.push(logged);
      this.onRequest(logged);
      const writtenBefore = socket.bytesWritten;
      this.openAnswers++;
      response.on("close", () => {
        this.openAnswers--;
        logged.sentBytes = socket.bytesWritten - writtenBefore;
      });
      if (method === "OPTIONS") return void response.writeHead(204, { "Access-Control-Allow-Headers": "Authorization, Range, Content-Type" }).end();
      void (origin === "hub" ? this.#answerAsHub(logged, request, response) : this.#answerAsCdn(logged, request, response));
    });
  }

  #answerAsCdn({ path }: LoggedRequest, request: IncomingMessage, response: ServerResponse): unknown {
    const signed = /^\/signed\/(\d+)\/(\w+)$/.exec(path);
    const bytes = signed ? this.#lfs.get(signed[2]) : this.files.get(path.slice(1));
    const etag = signed ? `"${createHash("md5").update(path).digest("hex")}${signed[2].slice(0, 32)}"` : this.etags.get(path.slice(1));
    if (etag !== undefined) response.setHeader("ETag", etag);
    if (signed && Number(signed[1]) < this.#linkAge) return response.writeHead(403).end("<Error>Request has expired</Error>");
    // Every folder is asked for a manifest first; scripts of faults are about its files.
    const fault = path === "/hearth.json" ? undefined : this.faults.length > 0 ? this.faults.shift() : this.always;
    if (fault !== undefined) return fault(request, response, bytes ?? new Uint8Array());
    return bytes === undefined ? response.writeHead(404).end("not found") : answer(request, response, bytes);
  }

  #answerWithTree(request: IncomingMessage, response: ServerResponse, files: ReadonlyMap<string, Uint8Array>): void {
    const url = new URL(request.url ?? "/", this.treeOrigin ?? this.hub);
    const first = Number(url.searchParams.get("cursor") ?? 0);
    const end = first + this.treePageSize;
    url.searchParams.set("cursor", String(end));
    if (end < files.size) response.setHeader("Link", `<${url.href}>; rel="next"`);
    sendJson(response, [...files].slice(first, end).map(([name, bytes]) => treeEntry(name, bytes)));
  }

  #answerAsHub({ path, authorization }: LoggedRequest, request: IncomingMessage, response: ServerResponse): unknown {
    const fault = this.hubFaults.shift();
    if (fault !== undefined) return fault(request, response, new Uint8Array());
    const api = /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/(.+)$/.exec(path);
    const batch = /^\/([^/]+\/[^/]+)\.git\/info\/lfs\/objects\/batch$/.exec(this.hasBatches ? path : "");
    const file = /^\/([^/]+\/[^/]+)\/resolve\/((?:refs\/pr\/)?[^/]+)\/(.+)$/.exec(path);
    const repo = this.repos.get((api ?? batch ?? file)?.[1] ?? "");
    if (repo === undefined) return refuse(response, 401, "RepoNotFound"); // the Hub does not tell private repos from none
    if (repo.token !== undefined && authorization === undefined) return refuse(response, 401, "GatedRepo");
    if (repo.token !== undefined && authorization !== `Bearer ${repo.token}`) return refuse(response, 403, "GatedRepo");
    if (batch !== null) return this.#answerBatch(request, response, repo);
    const revision = decodeURIComponent((api?.[3] ?? file?.[2] ?? ""));
    const commit = repo.branches.get(revision) ?? revision;
    const files = repo.commits.get(commit);
    if (files === undefined) return refuse(response, 404, "RevisionNotFound");
    if (api?.[2] === "revision") return sendJson(response, { id: api[1], sha: commit });
    if (api?.[2] === "tree") return this.#answerWithTree(request, response, files);
    const bytes = files.get(file?.[3] ?? "");
    if (bytes === undefined) return refuse(response, 404, "EntryNotFound");
    if (bytes.byteLength <= LFS_BYTES) return answer(request, response, bytes);
    const oid = sha256(bytes);
    return response.writeHead(302, { Location: this.#signedLink(oid, bytes), "X-Linked-Etag": `"${oid}"` }).end();
  }

  async #answerBatch(request: IncomingMessage, response: ServerResponse, repo: HubRepo): Promise<void> {
    const body = Buffer.concat(await request.toArray() as Buffer[]).toString();
    const { objects } = JSON.parse(body) as { objects: { oid: string; size: number }[] };
    const contents = new Map([...repo.commits.values()].flatMap((files) => [...files.values()].map((bytes) => [sha256(bytes), bytes])));
    sendJson(response, { transfer: "basic", objects: objects.map(({ oid, size }) => {
      const bytes = contents.get(oid);
      return bytes === undefined ? { oid, size, error: { code: 404 } } : { oid, size, actions: { download: { href: this.#signedLink(oid, bytes), expires_in: 3600 } } };
    }) });
  }

  #signedLink(oid: string, bytes: Uint8Array): string {
    this.#lfs.set(oid, bytes);
    return `${this.#originOf("cdn")}/signed/${this.#linkAge}/${oid}?Signature=secret`;
  }
}

function treeEntry(path: string, bytes: Uint8Array): object {
  const blob = createHash("sha1").update(`blob ${bytes.byteLength}\0`).update(bytes).digest("hex");
  const lfs = bytes.byteLength > LFS_BYTES ? { lfs: { oid: sha256(bytes), size: bytes.byteLength, pointerSize: 134 } } : {};
  return { type: "file", oid: blob, size: bytes.byteLength, path, ...lfs };
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "X-Error-Code": code, "X-Error-Message": `${code} by the test hub` }).end(`{"error":"${code}"}`);
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

/** The SHA-256 of bytes, in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function toBytes(content: Uint8Array | string): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}
