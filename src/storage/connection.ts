import { createStore, promisifyRequest, type UseStore } from "idb-keyval";

import { HearthError } from "../errors.ts";
import { wait } from "./retry.ts";

/** Who may write a file's chunks: whoever took the lease last. */
export class LeaseLostError extends Error {
  constructor() {
    super("another tab has taken over this download");
    this.name = "LeaseLostError";
  }
}

const REOPENED_AT_MOST = 6;
const FIRST_WAIT_MS = 10; // doubled every time: 0.6 seconds in all

/** A database whose connection is reopened when the browser drops it. */
export class Connection {
  readonly #databaseName: string;
  #useStore: UseStore;

  constructor(databaseName: string) {
    this.#databaseName = databaseName;
    this.#useStore = createStore(databaseName, "chunks");
  }

  /** Make one request. */
  async read<T>(ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return this.#use("readonly", (store) => promisifyRequest(ask(store)));
  }

  /** Make changes that are committed together or not at all; what `work` throws later goes into `fail`. */
  async write(work: (store: IDBObjectStore, fail: (error: Error) => void) => void): Promise<void> {
    await this.#use("readwrite", (store) => written(store, work));
  }

  /** The same, and resolve only when the disk has it, which outlives a power cut. */
  async writeStrictly(work: (store: IDBObjectStore) => void): Promise<void> {
    await this.#use("readonly", ({ transaction: { db } }) => {
      return written(db.transaction("chunks", "readwrite", { durability: "strict" }).objectStore("chunks"), work);
    });
  }

  async #use<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => Promise<T>): Promise<T> {
    const attempt = () => this.#useStore(mode, (store) => {
      const { db } = store.transaction;
      // Close for another tab that wants to delete or upgrade the database; the next use reopens it.
      db.onversionchange = () => db.close();
      return whileOpen(db, work(store));
    });
    for (let lost = 0; ; lost++) {
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof LeaseLostError) throw error;
        if (!isLostConnection(error) || lost === REOPENED_AT_MOST) throw await storageError(error);
      }
      // While a site is being cleared, new connections are closed as well.
      await wait(lost === 0 ? 0 : FIRST_WAIT_MS * 2 ** lost);
      this.#useStore = createStore(this.#databaseName, "chunks");
    }
  }
}

/** Settle like `work`, or reject once the browser has closed the connection, which may leave requests without an answer. */
function whileOpen<T>(db: IDBDatabase, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onClose = () => reject(new DOMException("The browser closed the connection", "InvalidStateError"));
    const done = () => db.removeEventListener("close", onClose);
    db.addEventListener("close", onClose, { once: true });
    work.then((value) => (done(), resolve(value)), (error: unknown) => (done(), reject(error)));
  });
}

/** Resolve when a transaction is committed: on a full disk its requests succeed first and only the commit fails. */
function written(store: IDBObjectStore, work: (store: IDBObjectStore, fail: (error: Error) => void) => void): Promise<void> {
  const { transaction } = store;
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      reject(error);
      transaction.abort();
    };
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("The transaction was aborted", "AbortError"));
    work(store, fail);
  });
}

// Browsers close connections of background pages and of cleared sites without asking.
function isLostConnection(error: unknown): boolean {
  return error instanceof DOMException && ["InvalidStateError", "AbortError", "UnknownError"].includes(error.name);
}

/** Use the store; a failure is reported and, if someone listens, survived without it. */
export async function guarded<T>(onStorageError: ((error: HearthError) => void) | undefined, use: () => Promise<T>): Promise<T | undefined> {
  try {
    return await use();
  } catch (error) {
    if (onStorageError === undefined || !(error instanceof HearthError)) throw error;
    onStorageError(error);
    return undefined;
  }
}

/** The error to tell of what the browser's storage failed with. */
export async function storageError(cause: unknown): Promise<HearthError> {
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : "Error";
  if (name !== "QuotaExceededError") {
    return new HearthError("storage", `the browser's storage failed (${name}: ${(cause as Error).message}); reload the page`, { cause });
  }
  // The quota that browsers report may be made up, so what is used is the number to trust.
  const estimate = await globalThis.navigator?.storage?.estimate?.().catch(() => undefined);
  const megabytes = (bytes: number | undefined) => (bytes === undefined ? "unknown" : `${Math.round(bytes / 1e6)} MB`);
  return new HearthError(
    "storage-full",
    `the browser refused to store more: this site uses ${megabytes(estimate?.usage)} and may use up to ` +
      `${megabytes(estimate?.quota)}; remove stored models or free disk space`,
    { cause },
  );
}
