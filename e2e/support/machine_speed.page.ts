// Runs in a page: how fast this machine is at what reading a checkpoint's files does.

/** Milliseconds in which a megabyte of JSON, a list of short strings, is parsed: the best of some runs. */
export function jsonMsPerMegabyte(): number {
  const json = JSON.stringify(Array.from({ length: 100_000 }, (_, i) => `piece${i}`));
  const runs = [1, 2, 3, 4, 5].map(() => {
    const start = performance.now();
    JSON.parse(json);
    return performance.now() - start;
  });
  return Math.min(...runs) / (json.length / 1e6);
}
