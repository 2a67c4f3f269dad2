/** Token ids that all runtimes read alike, other ones on each call so that no cache of prompts can help. */
export function promptIds(length, vocabSize) {
  const start = Math.floor(Math.random() * vocabSize);
  return Array.from({ length }, (_, i) => (start + i * 7919) % vocabSize);
}

/** Speeds from the times, in milliseconds since the start, at which tokens became known to the page. */
export function speeds(tokenTimes) {
  const [first] = tokenTimes;
  return { firstTokenMs: first, decodeTokensPerSecond: (tokenTimes.length - 1) / ((tokenTimes.at(-1) - first) / 1000) };
}
