import { LeaseLostError } from "./connection.ts";
import type { FileKey } from "./file_record.ts";
import { lockManager } from "./locks.ts";
import { controllerUnder, wait } from "./retry.ts";
import type { ShardStore } from "./shard_store.ts";

const RENEW_MS = 2000;
const LOOK_MS = 200; // how soon a waiting tab sees a chunk that another tab has stored
const FROZEN_MS = 10_000; // five missed renewals: a frozen tab keeps its lock for ever

/** What a tab does with a file that another tab may be downloading. */
export interface LeaseWork {
  /** Download, as the only tab that does; writes carry the epoch. */
  lead(epoch: number, signal: AbortSignal): Promise<void>;
  /** Look at what another tab has stored so far. */
  follow(): Promise<void>;
}

/**
 * Lead, or follow the tab that leads until it is done, closed or frozen. Rejects with `LeaseLostError` when another tab
 * has taken over; calling again follows that one.
 */
export async function lead(store: ShardStore, key: FileKey, work: LeaseWork, signal: AbortSignal): Promise<void> {
  const leading = async (inner: AbortSignal) => {
    const epoch = await store.takeLease(key);
    // A failed renewal says what the next write will say.
    const renewing = setInterval(() => void store.renewLease(key, epoch).catch(() => {}), RENEW_MS);
    try {
      await work.lead(epoch, inner);
    } finally {
      clearInterval(renewing);
    }
  };
  const locks = lockManager();
  if (locks === undefined) return leading(signal);
  const name = `hearth ${key.checkpoint} ${key.file}`;
  const waiting = controllerUnder(signal);
  const queued = withLock(locks, name, { signal: waiting.signal }, signal, () => waiting.abort(), leading);
  queued.catch(() => {}); // awaited below, perhaps later
  const frozen = await followUntil(waiting.signal, store, key, work);
  if (!frozen) return queued;
  waiting.abort(new Error("the tab that leads is frozen"));
  await queued.catch((error: unknown) => {
    if (error !== waiting.signal.reason) throw error;
  });
  return withLock(locks, name, { steal: true }, signal, () => {}, leading);
}

async function withLock(
  locks: LockManager, name: string, options: LockOptions, signal: AbortSignal, onGranted: () => void, work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stolen = controllerUnder(signal);
  let granted = false;
  try {
    await locks.request(name, options, async () => {
      granted = true;
      onGranted();
      await work(stolen.signal);
    });
  } catch (error) {
    signal.throwIfAborted();
    const wasStolen = granted && error instanceof DOMException && error.name === "AbortError";
    if (!wasStolen) throw error;
    stolen.abort();
    throw new LeaseLostError();
  }
}

/** Follow until the signal says that the lock is ours; resolves to whether the leader has not moved for long. */
async function followUntil(ours: AbortSignal, store: ShardStore, key: FileKey, work: LeaseWork): Promise<boolean> {
  let renewedAt: number | undefined;
  let seenAt = performance.now(); // by this tab's clock: a frozen one's says nothing
  for (let first = true; ; first = false) {
    try {
      await wait(first ? 20 : LOOK_MS, ours); // a free lock is granted at once
    } catch {
      return false; // ours, or called off: the queued request tells which
    }
    await work.follow();
    const latest = await store.leaseTime(key);
    if (latest !== renewedAt) seenAt = performance.now();
    renewedAt = latest;
    if (performance.now() - seenAt > FROZEN_MS && !ours.aborted) return true;
  }
}
