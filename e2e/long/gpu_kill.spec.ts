import { expect, test } from "../support/fixtures.ts";
import { measured } from "../support/measured.ts";
import { gpuProcess } from "../support/process_memory.ts";

type Outcome = Awaited<ReturnType<(typeof import("./gpu_kill.page.ts"))["killInAnswer"]>>;

test("promise 32: an answer goes on after the browser's GPU process was killed", async ({ harness }) => {
  test.setTimeout(300_000);
  test.skip(gpuProcess() === undefined, "only Chromium has a process of its own for WebGPU, and only /proc tells which");
  let kills = 0;
  await harness.page.exposeFunction("killGpuProcess", () => {
    process.kill(gpuProcess()!.id, "SIGKILL"); // skipped above without
    kills++;
  });
  const { expected, text, streamed, killedAfter, ms } = await harness.run<Outcome>("/e2e/long/gpu_kill.page.ts", "killInAnswer");
  measured(`killed after ${killedAfter} tokens of 40: text identical, ended ${Math.round(ms)} ms after it began`);
  expect(kills).toBe(1);
  expect(text).toBe(expected);
  expect(streamed).toBe(expected);
});
