import { padColumns } from "../quant/matrix.ts";
import type { Activations } from "./activations.ts";
import type { AttentionStep } from "./attention.ts";
import type { DecoderSpec } from "./decoder_spec.ts";
import type { DecoderWeights } from "./decoder_weights.ts";
import type { KvCache } from "./kv_cache.ts";
import type { MatmulStep } from "./matmul.ts";

/** A decoder with everything that its passes share. */
export interface Decoder {
  spec: DecoderSpec;
  weights: DecoderWeights;
  rope: GPUBuffer; // f32 [context, rotaryDim / 2, 2]
  cache: KvCache;
}

/** The products and the attention of one layer, in order, as data: decode and prefill cut them differently. */
export interface LayerSteps {
  qkv: MatmulStep;
  attention: AttentionStep;
  output: MatmulStep;
  gateUp: MatmulStep;
  down: MatmulStep;
}

/** Describe layer `index` over given activations. */
export function layerSteps({ spec, weights, rope, cache }: Decoder, activations: Activations, index: number): LayerSteps {
  const { attention, mlp } = spec.layers[index];
  const layer = weights.layers[index];
  const { hidden, qkv, attended, mlp: mlpBuffer } = activations;
  const normalised = (gains: GPUBuffer) => ({ kind: "rms", buffer: hidden, gains, width: spec.hiddenSize, epsilon: spec.rmsNormEps }) as const;
  const residual = { kind: "residual", buffer: hidden, stride: padColumns(spec.hiddenSize) } as const;
  return {
    qkv: {
      label: "qkv",
      weights: layer.qkv,
      input: normalised(layer.attentionNorm),
      output: { kind: "store", buffer: qkv, stride: (attention.heads + 2 * attention.kvHeads) * attention.headDim },
    },
    attention: {
      label: `window ${attention.window}`,
      attention,
      epsilon: spec.rmsNormEps,
      rotaryDim: spec.rope.rotaryDim,
      M: activations.M,
      qkv,
      attended,
      rope,
      headGains: layer.headGains,
      cache,
      pool: cache.pools[index],
      rows: activations.rows,
    },
    output: { label: "output", weights: layer.output, input: { kind: "plain", buffer: attended }, output: residual },
    gateUp: {
      label: "gate_up",
      weights: layer.gateUp,
      input: normalised(layer.mlpNorm),
      output: { kind: "swiglu", buffer: mlpBuffer, stride: padColumns(mlp.intermediateSize) },
    },
    down: { label: "down", weights: layer.down, input: { kind: "plain", buffer: mlpBuffer }, output: residual },
  };
}
