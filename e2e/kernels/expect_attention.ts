import { expectClose } from "./expect_close.ts";
import type { Finding } from "./kernel_runs.ts";

const F32_BOUND = 1e-5;
const HALF_STEP_BOUND = 4e-3; // a key that lies between two halves may round to either
const CODE_STEP_BOUND = 3e-2; // as much between two 8-bit codes: 1/127 of the largest
const ROUNDED_BOUND = 1e-3; // what attention makes of a key on the other side

/** Expect every finding of attention within what its cache's type allows. */
export function expectAttention(findings: readonly Finding[]): void {
  expectClose(findings.filter(({ name }) => name.includes("f32")), F32_BOUND);
  for (const [kvType, stepBound] of [["f16", HALF_STEP_BOUND], ["int8", CODE_STEP_BOUND]] as const) {
    const rounded = findings.filter(({ name }) => name.includes(kvType));
    expectClose(rounded.filter(({ name }) => name.startsWith("appended")), stepBound);
    expectClose(rounded.filter(({ name }) => !name.startsWith("appended")), ROUNDED_BOUND);
  }
}
