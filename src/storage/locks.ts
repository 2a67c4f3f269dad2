/** The browser's Web Locks, which tabs share; Node 20 has none, nor other tabs. */
export function lockManager(): LockManager | undefined {
  return globalThis.navigator?.locks;
}

/** Hold a Web Lock until this thread ends, however it does; resolves once it is held. */
export async function holdLock(locks: LockManager, name: string, options: LockOptions = {}): Promise<void> {
  await new Promise<void>((held, failed) => {
    // The callback's promise stays pending, so the lock is released only by the end of this thread.
    locks.request(name, options, () => new Promise<void>(() => held())).catch(failed);
  });
}
