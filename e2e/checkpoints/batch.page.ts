import { submitDispatches } from "../../src/gpu/dispatch.ts";
import { Gpu } from "../../src/gpu/gpu.ts";
import { readBuffer } from "../../src/gpu/readback.ts";
import { createActivations } from "../../src/kernels/activations.ts";
import { createDecodePlan } from "../../src/kernels/decode_plan.ts";
import { createKvCache } from "../../src/kernels/kv_cache.ts";
import { workgroupCount } from "../../src/kernels/matmul.ts";
import { embedRows } from "../../src/kernels/prefill_plan.ts";
import { createSamplerState } from "../../src/kernels/sampler_state.ts";
import { chooseSchedule } from "../../src/kernels/schedule.ts";
import { buildRunner, difference, SEVENTY, TEN, type FamilyGolden } from "./families.page.ts";

const LATE = 3; // steps by which the second sequence starts after the first

/** Decode two sequences side by side, the second late and in the first's slot: the largest difference from each prefilled alone. */
export async function decodeTogether(goldens: readonly FamilyGolden[]): Promise<{ name: string; difference: number }[]> {
  const gpu = await Gpu.open();
  try {
    const found: { name: string; difference: number }[] = [];
    for (const golden of goldens) found.push({ name: golden.name, difference: await together(gpu, golden) });
    return found;
  } finally {
    gpu.destroy();
  }
}

async function together(gpu: Gpu, golden: FamilyGolden): Promise<number> {
  const sequences = [{ tokens: TEN, slot: 1, start: 0 }, { tokens: SEVENTY.slice(0, TEN.length), slot: 0, start: LATE }];
  const { spec, runner } = await buildRunner(gpu, golden, undefined, TEN.length);
  const expected: Float32Array[] = [];
  for (const { tokens } of sequences) expected.push(await runner.logits(tokens));
  const schedule = chooseSchedule(gpu.traits);
  const M = sequences.length;
  const decoder = { ...runner.decoder, cache: await createKvCache(gpu, spec, "f32", TEN.length, M) };
  const rows = await createActivations(gpu, spec, M, 1, "f32");
  const sampler = await createSamplerState(gpu, M, spec.vocabSize, workgroupCount(schedule, { matrix: decoder.weights.head, bias: undefined }, M));
  const embedded = await embedRows(gpu, decoder, rows);
  const { layers, head } = await createDecodePlan(gpu, schedule, decoder, rows, sampler, 1);
  const reads: Promise<number[]>[] = []; // awaited together: some browsers take a tenth of a second to notice that one is done
  for (let step = 0; step < TEN.length + LATE; step++) {
    const active = sequences.map(({ tokens, start }) => step >= start && step < start + tokens.length);
    const entries = sequences.flatMap(({ tokens, slot, start }, row) => (active[row] ? [slot, step - start, tokens[step - start], 1] : [slot, 0, 0, 0]));
    gpu.device.queue.writeBuffer(rows.rows, 0, new Uint32Array(entries));
    submitDispatches(gpu.device, "together", embedded, layers, head);
    reads.push(readBuffer(gpu.device, sampler.logits, M * sampler.logitStride * 4).then((bytes) => sequences.flatMap(({ start }, row) => {
      if (!active[row]) return [];
      const own = new Float32Array(bytes, row * sampler.logitStride * 4, spec.vocabSize);
      return [...difference(own, expected[row].slice((step - start) * spec.vocabSize, (step - start + 1) * spec.vocabSize))];
    })));
  }
  const differences = (await Promise.all(reads)).flat();
  runner.destroy();
  return Math.max(...differences);
}
