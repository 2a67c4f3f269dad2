// The engine's worker, whose GPU a page can break from outside.
import { advanceClock, armFault, gpuRecord, type GpuFault } from "./gpu_faults.ts";
import "../../src/worker/worker.ts";

/** What the page says on the channel, and is answered. */
export type FaultMessage = { arm: GpuFault } | { advanceMs: number } | { record: true } | { end: "throw" | "close" | "loop" } | { blockMs: number };

const first = JSON.parse(new URLSearchParams(location.search).get("arm") ?? "null") as GpuFault | null;
if (first) armFault(first);

const channel = new BroadcastChannel("gpu-faults");
channel.onmessage = ({ data }: MessageEvent<FaultMessage>) => {
  if ("arm" in data) armFault(data.arm);
  if ("advanceMs" in data) advanceClock(data.advanceMs);
  channel.postMessage({ answer: gpuRecord() });
  if ("end" in data) endItself(data.end);
  if ("blockMs" in data) block(data.blockMs);
};

/** Let nothing through for a while. */
function block(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

function endItself(end: "throw" | "close" | "loop"): void {
  if (end === "close") return close();
  if (end === "throw") setTimeout(() => { throw new Error("thrown where nobody catches"); });
  else for (;;); // nothing gets through any more
}
