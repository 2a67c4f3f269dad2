import { HearthError } from "../errors.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { LinearSpec } from "../kernels/decoder_spec.ts";
import { createVector, type LinearWeights } from "../kernels/decoder_weights.ts";
import { inOneFormat } from "../quant/alike.ts";
import { allocateMatrix, bytesPerRow, formatKey, isSameFormat, padColumns, type RowRun } from "../quant/matrix.ts";
import type { ModuleWeights } from "../quant/module_weights.ts";
import type { RowMove } from "../quant/repack.ts";
import type { WeightJobs } from "./weight_jobs.ts";

/** A matrix gathered from modules. Rows that neighbour each other and share a format share a part. */
export async function linear(gpu: Gpu, jobs: WeightJobs, spec: LinearSpec): Promise<LinearWeights> {
  const { label, columns } = spec;
  const sources = [spec.sources, ...(spec.spellings ?? [])].find(([first]) => jobs.hasSource(first)) ?? spec.sources;
  const modules = alike({ ...spec, sources }, sources.map((source) => jobs.recognise(source, columns)));
  const matrix = await allocateMatrix(gpu, label, columns, unitRuns(gpu, spec, formatRuns({ ...spec, sources }, modules)));
  const values = new Float32Array(Math.ceil(matrix.rows / 2) * 2);
  const bias = sources.some((source) => source.bias) ? await createVector(gpu, `${label} bias`, values) : undefined;
  for (const [i, source] of sources.entries()) {
    jobs.wantMatrix(source, modules[i], { matrix, moves: source.moves });
    if (bias && source.bias) jobs.wantVector(jobs.biasOf(source.module), source.rows, { buffer: bias, values, place: (row) => movedRow(source.moves, row) });
  }
  return { matrix, bias };
}

/** Several matrices. */
export async function linears(gpu: Gpu, jobs: WeightJobs, specs: readonly LinearSpec[]): Promise<LinearWeights[]> {
  const all: LinearWeights[] = [];
  for (const spec of specs) all.push(await linear(gpu, jobs, spec));
  return all;
}

/** Where a module's row goes. */
function movedRow(moves: readonly RowMove[], row: number): number {
  const move = moves.find(({ from, rows }) => row >= from && row < from + rows);
  if (!move) throw new Error(`row ${row} goes nowhere`);
  return move.to + (row - move.from) * move.stride;
}

/** Cut runs so that each fits one binding and no unit lies across two. */
function unitRuns(gpu: Gpu, { columns, unit }: LinearSpec, runs: readonly RowRun[]): readonly RowRun[] {
  if (unit === undefined) return runs;
  return runs.flatMap(({ rows, format }) => {
    const rowBytes = bytesPerRow(format, padColumns(columns));
    const rowsPerRun = Math.max(1, Math.floor(gpu.maxBindingBytes / rowBytes / unit)) * unit;
    return Array.from({ length: Math.ceil(rows / rowsPerRun) }, (_, run) => ({ rows: Math.min(rowsPerRun, rows - run * rowsPerRun), format }));
  });
}

/** Whether modules lie one under another, so that each may have a format of its own. */
function isStacked(sources: LinearSpec["sources"]): boolean {
  return sources.every(({ moves }) => moves.length === 1 && moves[0].stride === 1);
}

function alike({ sources }: LinearSpec, modules: readonly ModuleWeights[]): readonly ModuleWeights[] {
  return isStacked(sources) ? modules : inOneFormat(modules);
}

function formatRuns({ rows, sources }: LinearSpec, modules: readonly ModuleWeights[]): RowRun[] {
  const [{ format }] = modules;
  if (modules.every((module) => isSameFormat(module.format, format))) return [{ rows, format }];
  const other = modules.findIndex((module) => !isSameFormat(module.format, format));
  if (!isStacked(sources)) {
    throw new HearthError("unsupported-checkpoint", `${sources[other].module}: stored as ${formatKey(modules[other].format)}, and ${sources[0].module} as ${formatKey(format)}; Hearth needs both alike`);
  }
  return modules.reduce<RowRun[]>((runs, module) => {
    const last = runs.at(-1);
    if (!last || !isSameFormat(last.format, module.format)) return [...runs, { rows: module.rows, format: module.format }];
    return [...runs.slice(0, -1), { rows: last.rows + module.rows, format: last.format }];
  }, []);
}
