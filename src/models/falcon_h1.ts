import { HearthError } from "../errors.ts";
import type { ModelConfig } from "../formats/model_config.ts";
import type { DecoderSpec, LayerSpec, MambaSpec } from "../kernels/decoder_spec.ts";
import { rotation } from "./llama.ts";
import { mamba } from "./mamba.ts";
import { isTurnedKernel } from "./modules.ts";
import { buildDecoder, LLAMA_NAMES, llamaTraits } from "./traits.ts";

/** Falcon-H1's factors (Yang et al., "Tensor Programs V"), each where the family applies it. */
interface Multipliers {
  embedding: number;
  head: number;
  attentionIn: number;
  attentionOut: number;
  /** Of the mixer's whole input; then of its gates, x, B, C and pace; then of its result. */
  mixerIn: number;
  mixerParts: readonly number[];
  mixerOut: number;
  /** Of the MLP's gate and of its result. */
  mlp: readonly number[];
}

/** Falcon-H1: Mamba-2 and attention side by side in every layer, with a factor in most places. */
export function falconH1(config: ModelConfig, contextLength: number): DecoderSpec {
  if (config.attentionBias || config.mambaProjBias || config.mlpBias || config.projectorsBias) {
    throw new HearthError("unsupported-checkpoint", "config.json: biases beside multipliers are not supported for falcon_h1");
  }
  const multipliers: Multipliers = {
    embedding: config.embeddingMultiplier ?? 1,
    head: config.lmHeadMultiplier ?? 1,
    attentionIn: config.attentionInMultiplier ?? 1,
    attentionOut: config.attentionOutMultiplier ?? 1,
    mixerIn: config.ssmInMultiplier ?? 1,
    mixerParts: config.ssmMultipliers ?? [1, 1, 1, 1, 1],
    mixerOut: config.ssmOutMultiplier ?? 1,
    mlp: config.mlpMultipliers ?? [1, 1],
  };
  if (multipliers.mixerParts.length !== 5 || multipliers.mlp.length !== 2) {
    throw new HearthError("corrupt-checkpoint", `config.json: expected 5 ssm_multipliers and 2 mlp_multipliers, found ${multipliers.mixerParts.length} and ${multipliers.mlp.length}`);
  }
  const spec = decoder(config, contextLength, multipliers);
  const tensor = spec.layers[0].recurrent?.kernel ?? "";
  return { ...spec, savedByMlx: { tensor, isRewritten: isTurnedKernel, spec: decoder(config, contextLength, foldedByMlx(config, multipliers)) } };
}

/** What is left to apply when MLX has multiplied the weights themselves; a tied head takes the embedding's factor along. */
function foldedByMlx(config: ModelConfig, { embedding, head }: Multipliers): Multipliers {
  const isTied = config.tieWordEmbeddings ?? false;
  return { embedding: 1, head: isTied ? head / embedding : 1, attentionIn: 1, attentionOut: 1, mixerIn: 1, mixerParts: [1, 1, 1, 1, 1], mixerOut: 1, mlp: [1, 1] };
}

function decoder(config: ModelConfig, contextLength: number, multipliers: Multipliers): DecoderSpec {
  const { hiddenSize, mambaExpand = 2 } = config;
  const { attentionIn, mixerIn, mixerParts, mlp: [gateScale, mlpOut] } = multipliers;
  const inner = config.mambaWidth ?? mambaExpand * hiddenSize;
  const traits = llamaTraits({ ...config, rmsNormEps: config.rmsNormEps ?? 1e-5 }, contextLength);
  const spec = buildDecoder(config, {
    ...traits,
    ...rotation(config, contextLength, {}),
    kvHeads: config.kvHeads ?? 8,
    names: { ...LLAMA_NAMES, finalNorm: "model.final_layernorm", up: ["feed_forward.gate_proj", "feed_forward.up_proj"], down: "feed_forward.down_proj" },
    norms: { attention: "input_layernorm", mlp: "pre_ff_layernorm" },
    // Queries, keys and values all take the factor of attention's input: the scores twice, the result once.
    scale: traits.scale * attentionIn ** 2 * (config.keyMultiplier ?? 1),
    embeddingScale: multipliers.embedding,
    logitScale: multipliers.head,
  });
  const [gate, x, b, c, pace] = mixerParts.map((part) => part * mixerIn);
  const layers = spec.layers.map((layer, index): LayerSpec => ({
    ...layer,
    recurrent: { ...mixer(config, `model.layers.${index}.mamba`, inner), factors: { gate, x, b, c, pace } },
    mlp: layer.mlp && { ...layer.mlp, gateScale },
    residualScales: { attention: multipliers.attentionOut * attentionIn, recurrent: multipliers.mixerOut, mlp: mlpOut },
  }));
  return { ...spec, layers };
}

function mixer(config: ModelConfig, name: string, inner: number): MambaSpec {
  const spec = mamba(config, name, inner);
  if (!config.mambaRmsNorm) return spec;
  const norm = { kind: "rms", module: `${name}.norm`, epsilon: config.rmsNormEps ?? 1e-5, gainOffset: 0, bias: false, groups: spec.groups } as const;
  return { ...spec, norm, normPrecedesGate: config.mambaNormBeforeGate ?? true };
}
