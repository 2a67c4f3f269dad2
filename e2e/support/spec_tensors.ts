import type { AltupLayerSpec, AttentionSpec, DecoderSpec, DeltaNetSpec, LayerSpec, LinearSpec, MambaSpec, MoeSpec, NormSpec, PerLayerSpec } from "../../src/kernels/decoder_spec.ts";

/** A tensor of a checkpoint. */
export interface TensorShape {
  name: string;
  shape: number[];
}

/** Every tensor that a decoder needs, under its own names. */
export function tensorsOf(spec: DecoderSpec): TensorShape[] {
  const { hiddenSize, vocabSize, positions } = spec;
  const table = (module: string, rows: number) => ({ name: `${module}.weight`, shape: [rows, hiddenSize] });
  return [
    table(spec.embedding, vocabSize),
    ...(positions ? [table(positions.module, positions.rows)] : []),
    ...(spec.head === spec.embedding ? [] : [table(spec.head, vocabSize)]),
    ...(spec.headBias ? [{ name: `${spec.head}.bias`, shape: [vocabSize] }] : []),
    ...norm(spec.finalNorm, hiddenSize),
    ...(spec.perLayer ? perLayerTensors(spec.perLayer) : []),
    ...(spec.altup ? [...spec.altup.projections, ...spec.altup.unembeddings].flatMap(linear) : []),
    ...spec.layers.flatMap((layer) => layerTensors(layer, hiddenSize)),
  ];
}

function layerTensors(layer: LayerSpec, hiddenSize: number): TensorShape[] {
  const { attention, recurrent, mlp, moe } = layer;
  const norms = [...new Set([layer.attentionNorm, layer.attentionPostNorm, layer.mlpNorm, layer.mlpPostNorm])];
  return [
    ...norms.flatMap((one) => norm(one, hiddenSize)),
    ...(layer.scalar ? [{ name: layer.scalar, shape: [1] }] : []),
    ...(layer.altup ? altupTensors(layer.altup, hiddenSize) : []),
    ...(layer.ownInput ? [...linear(layer.ownInput.gate), ...linear(layer.ownInput.projection), ...norm(layer.ownInput.norm, hiddenSize)] : []),
    ...norm(attention?.outputNorm, attention?.output.columns ?? 0),
    ...norm(mlp?.downNorm, mlp?.intermediateSize ?? 0),
    ...[...(attention ? [attention.qkv, attention.output] : []), ...(recurrent ? [recurrent.input, recurrent.output] : []), ...(mlp ? [mlp.up, mlp.down] : []), ...(moe ? [moe.router, moe.up, moe.down] : [])].flatMap(linear),
    ...(moe ? perExpert(moe) : []),
    ...Object.values(moe?.norms ?? {}).flatMap((one) => norm(one, hiddenSize)),
    ...(attention ? headNorms(attention) : []),
    ...(attention?.sinks ? [{ name: attention.sinks, shape: [attention.heads] }] : []),
    ...(recurrent ? [{ name: recurrent.kernel, shape: [recurrent.channels, 1, recurrent.taps] }, ...(recurrent.bias ? [{ name: recurrent.bias, shape: [recurrent.channels] }] : [])] : []),
    ...(recurrent?.kind === "deltaNet" ? deltaTensors(recurrent) : []),
    ...(recurrent?.kind === "mamba" ? mambaTensors(recurrent) : []),
    ...(mlp && typeof mlp.activation !== "string" ? slopes(mlp.activation.module) : []),
  ];
}

function perExpert({ routing, experts }: MoeSpec): TensorShape[] {
  const name = routing.kind === "softmax" ? routing.factors : routing.bias;
  return name ? [{ name, shape: [experts] }] : [];
}

function altupTensors({ norm: ownNorm, router, prediction, correction, outputScale, laurel }: AltupLayerSpec, hiddenSize: number): TensorShape[] {
  const streams = router.rows;
  return [
    ...norm(ownNorm, hiddenSize),
    ...linear(router),
    { name: prediction, shape: [streams ** 2, streams] },
    { name: correction, shape: [streams, streams] },
    { name: outputScale, shape: [hiddenSize] },
    ...[laurel.left, laurel.right].flatMap(linear),
    ...norm(laurel.norm, hiddenSize),
  ];
}

function perLayerTensors({ width, embedding, rows, projection, norm: ownNorm }: PerLayerSpec): TensorShape[] {
  return [{ name: `${embedding}.weight`, shape: [rows, projection.rows] }, ...linear(projection), ...norm(ownNorm, width)];
}

function headNorms({ queryKeyNorm, heads, kvHeads, headDim, kvSource }: AttentionSpec): TensorShape[] {
  if (queryKeyNorm.kind === "none") return [];
  if (queryKeyNorm.kind !== "parts") return [...norm(queryKeyNorm.query, headDim), ...norm(kvSource === undefined ? queryKeyNorm.key : undefined, headDim)];
  const { query, key } = queryKeyNorm;
  const each = (specs: readonly NormSpec[], count: number) =>
    [...new Set(specs)].flatMap((one) => (one.groups ? [{ name: `${one.module}.weight`, shape: [count, headDim] }] : norm(one, (count * headDim) / specs.length)));
  return [...each(query, heads), ...each(key, kvHeads)];
}

function norm(spec: NormSpec | undefined, width: number): TensorShape[] {
  if (!spec) return [];
  const shape = [width];
  return [{ name: `${spec.module}.${spec.gains ?? "weight"}`, shape }, ...(spec.bias ? [{ name: `${spec.module}.bias`, shape }] : [])];
}

function linear({ columns, sources }: LinearSpec): TensorShape[] {
  return sources.flatMap(({ module, rows, bias, isTransposed, stack }) => stack ? [
    { name: module, shape: isTransposed ? [stack, columns, rows / stack] : [stack, rows / stack, columns] },
    ...(bias ? [{ name: `${module}_bias`, shape: [stack, rows / stack] }] : []),
  ] : [
    { name: `${module}.weight`, shape: isTransposed ? [columns, rows] : [rows, columns] },
    ...(bias ? [{ name: `${module}.bias`, shape: [rows] }] : []),
  ]);
}

function deltaTensors({ decay, decayBias, norm: { module }, valueHeads, valueDim }: DeltaNetSpec): TensorShape[] {
  return [{ name: decay, shape: [valueHeads] }, { name: decayBias, shape: [valueHeads] }, { name: `${module}.weight`, shape: [valueDim] }];
}

function mambaTensors({ decay, paceBias, skip, heads, norm: ownNorm, output }: MambaSpec): TensorShape[] {
  return [...[decay, paceBias, skip].map((name) => ({ name, shape: [heads] })), ...norm(ownNorm, output.columns)];
}

function slopes(module: string): TensorShape[] {
  return [...["alpha_p", "alpha_n"].map((name) => ({ name: `${module}.${name}`, shape: [1] })), ...["beta", "eps"].map((name) => ({ name: `${module}.${name}`, shape: [] }))];
}
