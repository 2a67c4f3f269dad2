import { expect, test } from "@playwright/test";

import type { GpuTraits } from "../../src/gpu/gpu.ts";
import { chooseSchedule, cutSchedule, otherCuts, usualCut, type ProductCut } from "../../src/kernels/schedule.ts";

const GPU = { subgroups: { min: 32, max: 32 }, isSoftware: false, mostThreads: 1024, integerDots: true, halves: true, halfMatrices: true, byteMatrices: true };
const PROCESSOR = { ...GPU, isSoftware: true };
const SHAPES = [[3072, 2048], [2048, 2048], [16_384, 2048], [2048, 8192], [128_256, 2048], [64, 64], [6, 32]] as const;

const lanes = (cut: ProductCut, rows: number, columns: number) => cutSchedule(cut, GPU).threadsPerRow(rows, columns);

test("the shorter a matrix, the more threads share a row, as long as each has a block", () => {
  const { threadsPerRow } = chooseSchedule(GPU);
  expect(SHAPES.map(([rows, columns]) => threadsPerRow(rows, columns))).toEqual([64, 64, 32, 128, 32, 32, 32]);
  expect(SHAPES.map(([rows, columns]) => chooseSchedule(PROCESSOR).threadsPerRow(rows, columns))).toEqual(SHAPES.map(() => 1));
});

test("a lane takes a block of a single row, and a stream as many rows as leave threads enough, or few of a matrix with far more that is no head", () => {
  const streams = (traits: GpuTraits) => SHAPES.map(([rows, columns]) => chooseSchedule(traits).rowStreams(rows, columns));
  expect(streams(GPU).map((each) => each && [each.lanes, each.streams, each.rows])).toEqual([[64, 2, 4], [64, 2, 4], [64, 2, 16], [256, 1, 8], [64, 2, 16], [32, 4, 4], [32, 4, 4]]);
  expect([[6144, 4096], [4096, 14_336], [28_672, 4096]].map(([rows, columns]) => chooseSchedule(GPU).rowStreams(rows, columns)?.rows)).toEqual([12, 16, 4]);
  for (const cut of otherCuts(usualCut(GPU), 32, GPU).filter(({ rowsPerStream }) => rowsPerStream > 0)) {
    const { streams, rows } = cutSchedule(cut, GPU).rowStreams(151_936, 4096) ?? { streams: 0, rows: 0 };
    expect(Math.ceil(151_936 / (streams * rows)), "workgroups, each of which leaves the sampler a statistic").toBeLessThanOrEqual(8192);
  }
  expect(chooseSchedule(GPU).rowStreams(4096, 32 * GPU.mostThreads)).toMatchObject({ lanes: GPU.mostThreads });
  expect(chooseSchedule(GPU).rowStreams(4096, 32 * GPU.mostThreads + 32), "a row of more blocks than a workgroup has threads").toBeUndefined();
  for (const traits of [PROCESSOR, { ...GPU, subgroups: { min: 16, max: 32 } }, { ...GPU, subgroups: undefined }]) expect(streams(traits)).toEqual(SHAPES.map(() => undefined));
});

test("prefill takes half floats where units multiply them, else whole numbers where bytes are fast, else floats, and bytes only when asked", () => {
  const form = (traits: Partial<GpuTraits>, inputBits?: 8 | 16) => chooseSchedule({ ...GPU, ...traits }, inputBits).inputForm;
  expect([form({}), form({}, 8)]).toEqual(["f16", "f16"]);
  expect([form({ halfMatrices: false }), form({ halfMatrices: false }, 8)]).toEqual(["planes", "int8"]);
  const withoutUnits = { halfMatrices: false, byteMatrices: false };
  expect([form(withoutUnits), form(withoutUnits, 8)]).toEqual(["int16", "int8"]);
  expect([form({ ...withoutUnits, integerDots: false }), form({ isSoftware: true }, 8)]).toEqual(["f32", "f32"]);
});

for (const [name, traits, leastLanes] of [["a GPU with subgroups", GPU, 32], ["a GPU without", GPU, 1], ["a processor", PROCESSOR, 1]] as const) {
  test(`every cut that is tried on ${name} is one that the kernels can be compiled for`, () => {
    const usual = usualCut(traits);
    const cuts = otherCuts(usual, leastLanes, traits);
    expect(cuts.length).toBeGreaterThan(2);
    for (const cut of cuts) {
      expect(cut).not.toEqual(usual);
      expect(cut.workgroup).toBeLessThanOrEqual(256); // what every WebGPU device allows
      expect(4 * cut.workgroup * (cut.rowsPerThread + 1)).toBeLessThanOrEqual(16_384); // bytes of workgroup memory
      expect(cut.rowsPerThread % 2).toBe(0);
      for (const [rows, columns] of SHAPES) {
        expect(lanes(cut, rows, columns)).toBeGreaterThanOrEqual(leastLanes);
        expect(cut.workgroup % lanes(cut, rows, columns)).toBe(0);
      }
    }
  });
}

test("how single rows keep their inputs follows what the adapter reports, and the other ways are the first that are timed", () => {
  for (const [integerDots, halves, usual, ...others] of [
    [true, true, "bytes", "halves", "floats"], [true, false, "bytes", "floats"], [false, true, "floats", "bytes", "halves"], [false, false, "floats", "bytes"],
  ] as const) {
    const traits = { ...GPU, integerDots, halves };
    const cut = usualCut(traits);
    expect(chooseSchedule(traits).operand).toBe(usual);
    expect(otherCuts(cut, 32, traits).slice(0, others.length)).toEqual(others.map((operand) => ({ ...cut, operand })));
  }
});
