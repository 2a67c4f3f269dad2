import type { FileLink } from "./answers.ts";
import type { HubRepo, Listing } from "./listing.ts";

const OBJECTS = 100; // to a question, as git-lfs asks them
const MEDIA_TYPE = "application/vnd.git-lfs+json";
const READ_HERE = /\.(safetensors|json|jinja)$/;

interface LargeFile {
  oid: string;
  size: number;
}

/**
 * Links to a Hub repo's large files that say by themselves who may read: so a token goes to the Hub and nowhere else.
 * Otherwise the Hub redirects to its file servers, and some browsers pass a token on to them, which a page can neither see nor
 * prevent. Asked by Git LFS's batch API (https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md).
 */
export class SignedLinks {
  readonly #hub: HubRepo;
  readonly #groups: LargeFile[][];
  readonly #answers = new Map<number, Promise<ReadonlyMap<string, string>>>();

  constructor(hub: HubRepo, { files }: Listing) {
    this.#hub = hub;
    const large = Object.entries(files).filter(([name, { hash }]) => READ_HERE.test(name) && hash.startsWith("sha256:"));
    const objects = large.map(([, { hash, byteLength }]) => ({ oid: hash.slice("sha256:".length), size: byteLength }));
    this.#groups = Array.from({ length: Math.ceil(objects.length / OBJECTS) }, (_, i) => objects.slice(i * OBJECTS, (i + 1) * OBJECTS));
  }

  /** The link to a file by its listed hash; undefined for one that the Hub serves itself. */
  linkTo(hash: string): FileLink | undefined {
    const group = this.#groups.findIndex((objects) => objects.some(({ oid }) => hash === `sha256:${oid}`));
    if (group < 0) return undefined;
    return {
      url: async (signal) => (await this.#answer(group, signal)).get(hash),
      renew: () => void this.#answers.delete(group),
    };
  }

  #answer(group: number, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const known = this.#answers.get(group);
    if (known !== undefined) return known;
    const answer = this.#ask(group, signal);
    this.#answers.set(group, answer);
    return answer;
  }

  /** Links by hash; none where the server has no such API, as a mirror may not, so that what is asked for takes the redirect. */
  async #ask(group: number, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const { endpoint, repo, headers } = this.#hub;
    const body = JSON.stringify({ operation: "download", transfers: ["basic"], hash_algo: "sha256", objects: this.#groups[group] });
    try {
      const response = await fetch(`${endpoint}/${repo}.git/info/lfs/objects/batch`, {
        method: "POST", headers: { ...headers, Accept: MEDIA_TYPE, "Content-Type": MEDIA_TYPE }, body, signal,
      });
      return response.ok ? linksIn(await response.json(), endpoint) : new Map();
    } catch (error) {
      this.#answers.delete(group); // the network, which may be back
      if (signal.aborted) throw error;
      return new Map();
    }
  }
}

function linksIn(answer: unknown, endpoint: string): Map<string, string> {
  const objects = (answer as { objects?: unknown } | null)?.objects;
  const links = new Map<string, string>();
  for (const object of Array.isArray(objects) ? (objects as unknown[]) : []) {
    const { oid, actions } = (object ?? {}) as { oid?: unknown; actions?: { download?: { href?: unknown; header?: object | null } } | null };
    const { href, header } = actions?.download ?? {};
    const isPlain = Object.keys(header ?? {}).length === 0; // what asks for headers of its own would also need the server's leave
    if (typeof href === "string" && isPlain && isAsSafe(href, endpoint)) links.set(`sha256:${String(oid)}`, href);
  }
  return links;
}

function isAsSafe(href: string, endpoint: string): boolean {
  return URL.canParse(href) && [new URL(endpoint).protocol, "https:"].includes(new URL(href).protocol);
}
