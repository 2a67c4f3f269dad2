import { padColumns } from "../quant/matrix.ts";
import type { Activations } from "./activations.ts";
import { qkvWidth, type AttentionStep } from "./attention.ts";
import { added, normalised, normedInput, type Addition, type Branch, type LayerStep } from "./branch.ts";
import type { AttentionSpec, DecoderSpec, RecurrentSpec } from "./decoder_spec.ts";
import type { AttentionWeights, DecoderWeights, NormWeights, RecurrentWeights } from "./decoder_weights.ts";
import type { KvCache } from "./kv_cache.ts";
import type { MatmulInput, MatmulStep } from "./matmul.ts";
import { mlpBranch } from "./mlp_steps.ts";
import { normalises, type RecurrentStep } from "./recurrent.ts";
import type { RopeSpec } from "./rope_spec.ts";

/** A decoder with everything that its passes share. */
export interface Decoder {
  spec: DecoderSpec;
  weights: DecoderWeights;
  ropes: ReadonlyMap<RopeSpec, GPUBuffer>; // f32 [context, rotaryDim / 2, 2]
  cache: KvCache;
}

/** Describe a whole pass over embedded rows, up to the residual stream after the last layer. */
export function decoderSteps(decoder: Decoder, activations: Activations): LayerStep[] {
  const layers = decoder.spec.layers.flatMap((_, index) => layerSteps(decoder, activations, index));
  return [...perLayerSteps(decoder, activations), ...streamSteps(decoder, activations, "begin"), ...layers, ...streamSteps(decoder, activations, "end")];
}

/** The streams after the first: how each begins, or how all become one again. */
function streamSteps({ spec: { altup, hiddenSize }, weights }: Decoder, activations: Activations, kind: "begin" | "end"): LayerStep[] {
  if (!altup || !weights.altup) return [];
  const { streams } = altup;
  const { hidden, normed, branch } = activations;
  const shared = { activations, hiddenSize, streams };
  const matrices = kind === "begin" ? weights.altup.projections : weights.altup.unembeddings;
  return matrices.flatMap((matrix, stream): LayerStep[] => {
    const input = { kind: "plain", buffer: kind === "begin" ? hidden : normed } as const;
    const output = { kind: "store", buffer: branch, stride: padColumns(hiddenSize) } as const;
    return [
      ...(kind === "end" ? [{ kind: "altup", step: { ...shared, kind: "take", stream } } as const] : []),
      { kind: "matmul", step: { label: "stream", weights: matrix, input, output } },
      { kind: "altup", step: { ...shared, kind, stream } },
    ];
  });
}

/** Describe layer `index` over given activations. */
function layerSteps(decoder: Decoder, activations: Activations, index: number): LayerStep[] {
  const { isParallel } = decoder.spec.layers[index];
  const mixer = mixerBranch(decoder, activations, index);
  const mlp = mlpBranch(activations, decoder.spec.hiddenSize, decoder.spec.layers[index], decoder.weights.layers[index]);
  const streams = altupSteps(decoder, activations, index);
  const last = [...streams.correct, ...ownInputSteps(decoder, activations, index), ...scalarSteps(decoder, activations, index)];
  // Parallel branches read the same stream, so both have read it before either writes.
  if (isParallel) return [...mixer.read, ...mlp.read, ...mixer.write, ...mlp.write, ...last];
  return [...streams.predict, ...mixer.read, ...streams.merge, ...mixer.write, ...mlp.read, ...mlp.write, ...last];
}

/** Around a layer: guess all streams and take the detour, join it once attention has read the stream, and correct the guesses at the end. */
function altupSteps({ spec, weights }: Decoder, activations: Activations, index: number): Record<"predict" | "merge" | "correct", LayerStep[]> {
  const { altup: own, attentionNorm } = weights.layers[index];
  if (!spec.altup || !own || !attentionNorm) return { predict: [], merge: [], correct: [] };
  const { hiddenSize, altup: { streams } } = spec;
  const { hidden, routerLogits, mlp: buffer, branch } = activations;
  const { left, right, norm } = own.laurel;
  const shared = { activations, hiddenSize, streams };
  const router: LayerStep = {
    kind: "matmul",
    step: { label: "stream router", weights: own.router, input: normedInput(hidden, own.norm), output: { kind: "store", buffer: routerLogits, stride: streams } },
  };
  const narrow = { kind: "activated", buffer, stride: padColumns(left.matrix.rows), activation: "identity" } as const;
  return {
    predict: [
      router,
      { kind: "altup", step: { ...shared, kind: "predict", weights: own } },
      { kind: "matmul", step: { label: "detour in", weights: left, input: normedInput(hidden, attentionNorm), output: narrow } },
      { kind: "matmul", step: { label: "detour out", weights: right, input: { kind: "plain", buffer }, output: { kind: "store", buffer: branch, stride: padColumns(hiddenSize) } } },
    ],
    merge: [{ kind: "altup", step: { ...shared, kind: "merge", own: attentionNorm, detour: norm } }],
    correct: [router, { kind: "altup", step: { ...shared, kind: "correct", weights: own } }],
  };
}

/** Make the layers' own inputs of embedded rows: a row of a table, and a normalised projection of the embedding. */
function perLayerSteps({ spec: { perLayer: spec, layers }, weights: { perLayer: weights } }: Decoder, activations: Activations): LayerStep[] {
  if (!spec || !weights) return [];
  const { M, rows, hidden, perLayer, perLayerProjected } = activations;
  const stride = padColumns(spec.width * layers.length);
  const place = { kind: "residual", input: perLayerProjected, inputStride: stride, output: perLayer, outputStride: stride, scale: spec.projectionScale } as const;
  const output = { kind: "store", buffer: perLayerProjected, stride } as const;
  return [
    { kind: "embed", step: { M, embedding: weights.embedding, embeddingScale: spec.embeddingScale, hidden: perLayer, rows } },
    { kind: "matmul", step: { label: "inputs of layers", weights: weights.projection, input: { kind: "plain", buffer: hidden }, output } },
    { kind: "norm", step: { label: "inputs of layers", weights: weights.norm, M, rows, place } },
  ];
}

function ownInputSteps({ spec, weights }: Decoder, activations: Activations, index: number): LayerStep[] {
  const { ownInput } = weights.layers[index];
  if (!ownInput || !spec.perLayer) return [];
  const { hidden, normed, streams, branch, mlp: buffer, perLayer: factors, M, rows } = activations;
  const { gate, first: firstFactor, projection, norm } = ownInput;
  const factorStride = padColumns(spec.perLayer.width * spec.layers.length);
  const gated = { kind: "gated", buffer, stride: padColumns(gate.matrix.rows), activation: "gelu_tanh", factors, factorStride, firstFactor } as const;
  const stride = padColumns(spec.hiddenSize);
  // Of several streams the first meets the own input, and the others take the result.
  const taken = spec.altup ? { output: streams, streams: spec.altup.streams - 1 } : { output: hidden };
  const place = { kind: "residual", input: branch, inputStride: stride, outputStride: stride, scale: 1, ...taken } as const;
  return [
    { kind: "matmul", step: { label: "own input gate", weights: gate, input: { kind: "plain", buffer: spec.altup ? normed : hidden }, output: gated } },
    { kind: "matmul", step: { label: "own input", weights: projection, input: { kind: "plain", buffer }, output: { kind: "store", buffer: branch, stride } } },
    { kind: "norm", step: { label: "own input result", weights: norm, M, rows, place } },
  ];
}

function scalarSteps({ spec, weights }: Decoder, { M, rows, hidden: values }: Activations, index: number): LayerStep[] {
  const { scalar: buffer } = weights.layers[index];
  return buffer ? [{ kind: "scale", step: { M, rows, values, stride: padColumns(spec.hiddenSize), factor: { kind: "scalar", buffer } } }] : [];
}

/** What mixes positions: attention, a recurrence, or both side by side. */
function mixerBranch(decoder: Decoder, activations: Activations, index: number): Branch {
  const layer = decoder.weights.layers[index];
  const { attention, recurrent, residualScales } = decoder.spec.layers[index];
  const { before, input } = normalised(activations, layer.attentionNorm, "attention input");
  const result = ({ output }: AttentionWeights | RecurrentWeights, norm: NormWeights | undefined, scale: number): Addition =>
    added(activations, "output", output, normedInput(activations.attended, norm), layer.attentionPostNorm, scale);
  const recurrentNorm = recurrent && normalises(recurrent) ? undefined : layer.recurrent?.outputNorm;
  const branches = [
    ...(attention && layer.attention ? [attentionSteps(decoder, activations, index, attention, layer.attention, input, result(layer.attention, layer.attention.outputNorm, residualScales.attention))] : []),
    ...(recurrent && layer.recurrent ? [recurrentSteps(decoder, activations, index, recurrent, layer.recurrent, input, result(layer.recurrent, recurrentNorm, residualScales.recurrent))] : []),
  ];
  return { read: [...before, ...branches.flatMap(({ read }) => read)], write: branches.flatMap(({ write }) => write) };
}

function attentionSteps(
  decoder: Decoder, activations: Activations, index: number, attention: AttentionSpec, weights: AttentionWeights, input: MatmulInput, { output, after }: Addition,
): Branch {
  const { heads, kvHeads, headDim, rope, kvSource = index } = attention;
  const { M, rows, qkv, attended } = activations;
  const stride = qkvWidth(attention);
  const inPlace = (label: string, norm: NormWeights | undefined, start: number): LayerStep[] =>
    norm ? [{ kind: "norm", step: { label, weights: norm, M, rows, place: { kind: "inPlace", buffer: qkv, stride, start } } }] : [];
  const ropeTable = decoder.ropes.get(rope);
  if (!ropeTable) throw new Error(`layer ${index} has no rope table`);
  const step: AttentionStep = {
    label: `window ${attention.window}`,
    attention,
    M,
    qkv,
    attended,
    rope: ropeTable,
    headGains: weights.headGains,
    cache: decoder.cache,
    pool: decoder.cache.pools[kvSource],
    rows,
  };
  return {
    read: [{ kind: "matmul", step: { label: "qkv", weights: weights.qkv, input, output: { kind: "store", buffer: qkv, stride } } }],
    write: [
      ...inPlace("queries", weights.queryNorm, 0),
      ...inPlace("keys", weights.keyNorm, heads * headDim),
      ...inPlace("values", weights.valueNorm, (heads + kvHeads) * headDim),
      { kind: "attention", step, output },
      ...after,
    ],
  };
}

function recurrentSteps(
  { cache }: Decoder, { M, rows, projected, attended }: Activations, index: number, recurrent: RecurrentSpec, weights: RecurrentWeights, input: MatmulInput, { output, after }: Addition,
): Branch {
  const project: MatmulStep = { label: "recurrence input", weights: weights.input, input, output: { kind: "store", buffer: projected, stride: recurrent.input.rows } };
  const step: RecurrentStep = { recurrent, weights, M, rows, projected, output: attended, state: cache.states[index] };
  return { read: [{ kind: "matmul", step: project }], write: [{ kind: "recurrence", step }, { kind: "matmul", step: output }, ...after] };
}
