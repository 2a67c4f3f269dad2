const SPEEDS = ["prefillTokensPerSecond", "decodeTokensPerSecond", "timeToFirstTokenMs"];
const NUMBERS = [...SPEEDS, "encodeMsPerToken", "peakMemoryBytes", "measuredBandwidth", "bandwidthFraction"];

/**
 * Several reports of `model.benchmark()` as one: the median of each number (of an even count the upper of the two in the
 * middle), and under `spread` how many runs there were and how far their speeds lie apart, each as [least, most].
 */
export function medianReport(reports) {
  const sorted = (read) => reports.map(read).sort((a, b) => a - b);
  const median = (read) => sorted(read)[Math.floor(reports.length / 2)];
  const medians = (keys, of) => Object.fromEntries(keys.map((key) => [key, median((report) => of(report)[key])]));
  const range = (key) => {
    const values = sorted((report) => report[key]);
    return [values[0], values[values.length - 1]];
  };
  const last = reports[reports.length - 1]; // with the kernels' times, which only one run takes
  return {
    ...last,
    ...medians(NUMBERS, (report) => report),
    tokenMs: medians(Object.keys(last.tokenMs), (report) => report.tokenMs),
    spread: { runs: reports.length, ...Object.fromEntries(SPEEDS.map((key) => [key, range(key)])) },
  };
}
