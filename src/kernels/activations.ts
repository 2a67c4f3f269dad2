import type { Gpu } from "../gpu/gpu.ts";
import { padColumns } from "../quant/matrix.ts";
import type { DecoderSpec } from "./decoder_spec.ts";
import { createPackedInputs, type PackedInputs } from "./matmul_packed.ts";
import type { InputForm } from "./schedule.ts";

/** Buffers that one forward pass over `M` rows overwrites, allocated once. */
export interface Activations {
  M: number;
  rows: GPUBuffer; // u32 [M, 4]: slot, position, token id, 1 while it runs
  hidden: GPUBuffer; // f32 [M, hiddenSize, padded], striped: the residual stream; after a single row, room for what `prepareNorms` keeps, twice as long
  normed: GPUBuffer; // f32 [M, hiddenSize, padded], striped: the stream after a layer norm, or an MLP's and experts' results before the norm of both
  branch: GPUBuffer; // f32 [M, hiddenSize, padded]: a branch's result before its norm; striped where experts have one of their own
  qkv: GPUBuffer; // f32 [M, largest (heads + 2 kvHeads) headDim]
  projected: GPUBuffer; // f32 [M, largest input of a recurrence]
  attended: GPUBuffer; // f32 [M, largest heads headDim, padded], striped, or what a recurrence gives
  mlp: GPUBuffer; // f32 [M, largest intermediateSize, padded], striped
  routerLogits: GPUBuffer; // f32 [M, rows of the router]
  choices: GPUBuffer; // [M, chosen] of (expert, weight)
  experts: GPUBuffer; // f32 [M, chosen, intermediateSize of an expert, padded], striped
  perLayer: GPUBuffer; // f32 [M, layers * width of their own inputs, padded], striped
  perLayerProjected: GPUBuffer; // the same, not striped: a part of them before its norm
  streams: GPUBuffer; // f32 [M, streams after the first, hiddenSize, padded], striped
  guess: GPUBuffer; // f32 [M, hiddenSize, padded], striped: of the first stream
  pairs: GPUBuffer; // f32 [M, intermediateSize, 2]: gates and ups that are not yet cut off
  partials: GPUBuffer; // f32 [M, splits, largest heads headDim, padded], striped
  splitStats: GPUBuffer; // f32 [M, heads, splits, 2]
  packed: PackedInputs;
}

/** Allocate the activations of `M` rows whose attention comes in at most `splits` parts. */
export async function createActivations(gpu: Gpu, spec: DecoderSpec, M: number, splits: number, inputForm: InputForm): Promise<Activations> {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const widest = (width: (layer: DecoderSpec["layers"][number]) => number) => Math.max(...spec.layers.map(width));
  const floats = (label: string, perRow: number) => gpu.allocate(`${label} of ${M} rows`, M * perRow * 4, usage);
  const heads = widest(({ attention }) => attention?.heads ?? 0);
  const attended = widest(({ attention }) => (attention ? attention.heads * attention.headDim : 0));
  const { layers, finalNorm } = spec;
  const hasLayerNorms = [finalNorm, ...layers.flatMap(({ attentionNorm, mlpNorm }) => [attentionNorm, mlpNorm])].some((norm) => norm?.kind === "layer");
  const addsExperts = layers.some(({ moe }) => moe?.norms);
  const hasPostNorms = layers.some(({ attentionPostNorm, mlpPostNorm, ownInput }) => attentionPostNorm ?? mlpPostNorm ?? ownInput);
  const attendedWidth = padColumns(Math.max(attended, widest(({ recurrent }) => recurrent?.output.columns ?? 0)));
  const mlpWidth = padColumns(widest(({ mlp, ownInput, altup }) => Math.max(mlp?.intermediateSize ?? 0, ownInput?.gate.rows ?? 0, altup?.laurel.left.rows ?? 0)));
  const perLayer = spec.perLayer ? padColumns(spec.perLayer.width * layers.length) : 0;
  return {
    M,
    rows: await floats("rows", 4),
    hidden: await floats("hidden", padColumns(spec.hiddenSize) * (M === 1 ? 3 : 1)),
    normed: await floats("normed", hasLayerNorms || addsExperts || spec.altup ? padColumns(spec.hiddenSize) : 0),
    branch: await floats("branch", hasPostNorms ? padColumns(spec.hiddenSize) : 0),
    qkv: await floats("qkv", widest(({ attention }) => attention?.qkv.rows ?? 0)),
    projected: await floats("recurrence input", widest(({ recurrent }) => recurrent?.input.rows ?? 0)),
    attended: await floats("attended", attendedWidth),
    mlp: await floats("mlp", mlpWidth),
    routerLogits: await floats("router logits", Math.max(spec.altup?.streams ?? 0, widest(({ moe }) => moe?.router.rows ?? 0))),
    choices: await floats("expert choices", 2 * widest(({ moe }) => moe?.chosen ?? 0)),
    experts: await floats("experts", widest(({ moe }) => (moe ? moe.chosen * padColumns(moe.intermediateSize) : 0))),
    perLayer: await floats("inputs of layers", perLayer),
    perLayerProjected: await floats("projected inputs of layers", perLayer),
    streams: await floats("streams", spec.altup ? (spec.altup.streams - 1) * padColumns(spec.hiddenSize) : 0),
    guess: await floats("guess", spec.altup ? padColumns(spec.hiddenSize) : 0),
    pairs: await floats("gates and ups", widest(({ mlp }) => (mlp?.cutoff === undefined ? 0 : 2 * mlp.intermediateSize))),
    partials: await floats("attention parts", splits > 1 ? padColumns(attended) * splits : 0),
    splitStats: await floats("attention part stats", heads * splits * 2),
    packed: await createPackedInputs(gpu, M, inputForm === "f32" ? 0 : Math.max(padColumns(spec.hiddenSize), attendedWidth, mlpWidth), inputForm),
  };
}

/** Free activations. */
export function freeActivations(gpu: Gpu, ...all: readonly Activations[]): void {
  for (const { packed, ...others } of all) {
    gpu.free(packed.codes, packed.scales, ...Object.values(others).filter((value) => value instanceof GPUBuffer));
  }
}
