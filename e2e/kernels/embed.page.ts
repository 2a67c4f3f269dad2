import type { Gpu } from "../../src/gpu/gpu.ts";
import { Uploader } from "../../src/gpu/upload.ts";
import { planForRows } from "../../src/kernels/prefill_plan.ts";
import { embed } from "../../src/kernels/sample.ts";
import { allocateMatrix, formatKey, type Matrix, type WeightFormat } from "../../src/quant/matrix.ts";
import { striped, unstriped } from "../reference/striped.ts";
import { bufferOf, readFloats, rowsBuffer, submit, withGpu, worstError, type CaseSelection, type Finding } from "./kernel_runs.ts";
import { ALL_FORMATS, randomModule, repackModule, weightsOf, withBindingLimit, type StoredModule } from "./random_matrix.ts";
import { randomValues } from "./random_values.ts";

/** The first weights of a module whose codes and values are known from its format's description, row by row. */
export function knownWords(): Promise<{ q4: number[]; q8: number[] }> {
  return withGpu({}, async (gpu) => ({ q4: await knownModule(gpu, "q4"), q8: await knownModule(gpu, "q8") }));
}

// Codes (5i + 3) mod 2^bits, scale 0.5, bias -1.25.
const KNOWN_WORDS = {
  q4: ["61c72d83", "e94fa50b", "61c72d83", "e94fa50b"],
  q8: ["120d0803", "26211c17", "3a35302b", "4e49443f", "625d5853", "76716c67", "8a85807b", "9e99948f"],
};

async function knownModule(gpu: Gpu, codes: "q4" | "q8"): Promise<number[]> {
  const words = Uint32Array.from(KNOWN_WORDS[codes], (word) => parseInt(word, 16));
  const bytes = (value: number) => new Uint8Array(Float32Array.of(value).buffer);
  const format: WeightFormat = { codes, scales: "f32", group: 32 };
  const module = { format, rows: 1, columns: 32, tensors: { codes: new Uint8Array(words.buffer), scales: bytes(0.5), biases: bytes(-1.25) } };
  const matrix = await allocateMatrix(gpu, "known", 32, [module]);
  await withUploader(gpu, (uploader) => repackModule(gpu, uploader, { matrix, start: 0, stride: 1 }, module, 3));
  return [...(await allRows(gpu, matrix, 1))];
}

/** Repack every format in slices of odd lengths, and read the whole matrix back through the embedding kernel. */
export function everyFormat({ gpuOptions = {} }: CaseSelection = {}): Promise<Finding[]> {
  return withGpu(gpuOptions, (gpu) =>
    withUploader(gpu, async (uploader) => {
      const findings: Finding[] = [];
      for (const [i, format] of ALL_FORMATS.entries()) {
        const columns = "scales" in format ? 3 * format.group : [172, 173, 33][i % 3];
        const module = randomModule(randomValues(i), format, 13, columns);
        const matrix = await allocateMatrix(gpu, "table", columns, [module]);
        // Slabs of few rows: an odd number of 16-bit rows ends inside a word.
        await repackModule(gpu, withCapacity(uploader, 5 * 4 * columns), { matrix, start: 0, stride: 1 }, module, 101);
        findings.push({ name: `${formatKey(format)}, ${columns} columns`, error: await deviation(gpu, matrix, module) });
      }
      return findings;
    }),
  );
}

/** Repack two modules into alternate rows of one matrix that comes in parts. */
export function interleavedParts({ gpuOptions = {} }: CaseSelection = {}): Promise<Finding[]> {
  return withGpu(gpuOptions, (gpu) =>
    withUploader(gpu, async (uploader) => {
      const format: WeightFormat = { codes: "q4", scales: "bf16", group: 64 };
      const [gate, up] = [1, 2].map((seed) => randomModule(randomValues(seed), format, 301, 192));
      const matrix = await allocateMatrix(withBindingLimit(gpu, 256 * 96), "gate and up", 192, [{ format, rows: 602 }]);
      for (const [start, module] of [gate, up].entries()) {
        await repackModule(gpu, withCapacity(uploader, 96 * 77), { matrix, start, stride: 2 }, module, 1_003);
      }
      const found = await allRows(gpu, matrix, 1);
      const rowsOf = (first: number) => found.filter((_, i) => Math.floor(i / 192) % 2 === first);
      return [
        { name: "gate", error: worstError(rowsOf(0), weightsOf(gate), 192) },
        { name: "up", error: worstError(rowsOf(1), weightsOf(up), 192) },
        { name: `parts: ${matrix.parts.length}`, error: matrix.parts.length === 3 ? 0 : Infinity },
      ];
    }),
  );
}

/** Embed rows from a table in parts, one of them of a sequence that has ended: the error, and whether that row stayed as it was. */
export function raggedRows({ gpuOptions = {} }: CaseSelection = {}): Promise<Finding[]> {
  return withGpu(gpuOptions, (gpu) =>
    withUploader(gpu, async (uploader) => {
      const columns = 172;
      const module = randomModule(randomValues(5), { codes: "f16" }, 700, columns);
      const matrix = await allocateMatrix(withBindingLimit(gpu, 256 * 384), "table", columns, [module]);
      await repackModule(gpu, uploader, { matrix, start: 0, stride: 1 }, module, 9_999);
      const tokenIds = [0, 255, 256, 699, 511, 512, 300, 1];
      const ended = 6;
      const rows = tokenIds.map((tokenId, m) => ({ slot: m, position: 0, tokenId, runs: m !== ended }));
      const before = randomValues(6).floats(tokenIds.length * matrix.paddedColumns);
      const found = await embedRows(gpu, matrix, rows, 11.3, before);
      const weights = weightsOf(module);
      const expected = before.map((old, i) => {
        const [m, column] = [Math.floor(i / matrix.paddedColumns), i % matrix.paddedColumns];
        if (m === ended) return old;
        return column < columns ? 11.3 * weights[tokenIds[m] * columns + column] : 0;
      });
      return [{ name: "a table in parts", error: worstError(found, expected, matrix.paddedColumns) }];
    }),
  );
}

async function deviation(gpu: Gpu, matrix: Matrix, module: StoredModule): Promise<number> {
  const found = await allRows(gpu, matrix, 1);
  const weights = weightsOf(module);
  const padded = found.map((_, i) => {
    const column = i % matrix.paddedColumns;
    return column < module.columns ? weights[Math.floor(i / matrix.paddedColumns) * module.columns + column] : 0;
  });
  return worstError(found, padded, matrix.paddedColumns);
}

/** All rows of a matrix, as the embedding kernel reads them. */
function allRows(gpu: Gpu, matrix: Matrix, scale: number): Promise<Float32Array> {
  const rows = Array.from({ length: matrix.rows }, (_, tokenId) => ({ slot: 0, position: 0, tokenId, runs: true }));
  return embedRows(gpu, matrix, rows, scale, new Float32Array(matrix.rows * matrix.paddedColumns));
}

async function embedRows(gpu: Gpu, embedding: Matrix, rows: Parameters<typeof rowsBuffer>[1], embeddingScale: number, before: Float32Array<ArrayBuffer>): Promise<Float32Array> {
  const M = rows.length;
  const hidden = await bufferOf(gpu, "hidden", striped(before, embedding.paddedColumns));
  submit(gpu, planForRows(await embed(gpu, { M, embedding, embeddingScale, hidden, rows: await rowsBuffer(gpu, rows) }), M));
  return unstriped(await readFloats(gpu, hidden, before.length), embedding.paddedColumns);
}

async function withUploader<T>(gpu: Gpu, use: (uploader: Uploader) => Promise<T>): Promise<T> {
  const uploader = await Uploader.create(gpu);
  try {
    return await use(uploader);
  } finally {
    uploader.destroy();
  }
}

/** The same uploader, as if it took no more than `bytes` at a time. */
function withCapacity(uploader: Uploader, bytes: number): Uploader {
  const { staging, uniform } = uploader;
  const used: Pick<Uploader, "capacity" | "staging" | "uniform" | "stage" | "consume"> = { capacity: bytes, staging, uniform, stage: (slice) => uploader.stage(slice), consume: (work) => uploader.consume(work) };
  return used as Uploader; // a repacker uses no more
}
