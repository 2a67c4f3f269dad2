import { booleanField, integerField, integersField, numberField, numbersField, stringField, type Bounds, type Fields } from "./config_fields.ts";

/** What config.json says of experts and of layers that mix positions without attention; an absent key is undefined. */
export interface MixerConfig {
  experts?: number;
  /** Experts that each token chooses. */
  expertsPerToken?: number;
  moeIntermediateSize?: number;
  /** Whether the weights of chosen experts sum to one. */
  normTopkProb?: boolean;
  decoderSparseStep?: number;
  mlpOnlyLayers?: number[];
  /** Layers at the front without experts. */
  denseLayers?: number;
  useExpertBias?: boolean;
  routedScalingFactor?: number;
  /** Layers with attention, where only some have it. */
  fullAttnIdxs?: number[];
  /** Taps of short convolutions. */
  convCacheLength?: number;
  convBias?: boolean;
  /** How the width of MLPs follows from the stated one. */
  blockAutoAdjustFfDim?: boolean;
  blockFfnDimMultiplier?: number;
  blockMultipleOf?: number;
  /** Every so many layers, one has attention. */
  fullAttentionInterval?: number;
  linearKeyHeads?: number;
  linearValueHeads?: number;
  linearKeyHeadDim?: number;
  linearValueHeadDim?: number;
  linearConvKernelDim?: number;
  /** "rope", or anything else for positions that are not encoded. */
  positionEmbeddingType?: string;
  sharedIntermediateSize?: number;
  sharedExpertIntermediateSize?: number;
  mambaExpand?: number;
  mambaHeads?: number;
  mambaGroups?: number;
  mambaStateDim?: number;
  mambaTaps?: number;
  mambaConvBias?: boolean;
  mambaProjBias?: boolean;
  /** Channels of a Mamba mixer, where they are not a multiple of the hidden size. */
  mambaWidth?: number;
  mambaRmsNorm?: boolean;
  mambaNormBeforeGate?: boolean;
  projectorsBias?: boolean;
  /** Factors of Falcon-H1. */
  lmHeadMultiplier?: number;
  keyMultiplier?: number;
  attentionInMultiplier?: number;
  attentionOutMultiplier?: number;
  ssmInMultiplier?: number;
  ssmOutMultiplier?: number;
  ssmMultipliers?: number[];
  mlpMultipliers?: number[];
}

const WIDTH: Bounds = { min: 1, max: 1 << 20 };
const LAYERS: Bounds = { min: 1, max: 2048 };
const HEADS: Bounds = { min: 1, max: 4096 };
const FACTOR: Bounds = { min: 0, max: 1e9 };

/** Read those keys. */
export function parseMixers(fields: Fields): MixerConfig {
  return {
    experts: integerField(fields, "num_experts", WIDTH) ?? integerField(fields, "num_local_experts", { min: 0, max: WIDTH.max }),
    expertsPerToken: integerField(fields, "num_experts_per_tok", { min: 0, max: WIDTH.max }) ?? integerField(fields, "top_k_experts", WIDTH),
    moeIntermediateSize: integerField(fields, "moe_intermediate_size", WIDTH),
    normTopkProb: booleanField(fields, "norm_topk_prob"),
    decoderSparseStep: integerField(fields, "decoder_sparse_step", LAYERS),
    mlpOnlyLayers: fields.values.has("mlp_only_layers") ? integersField(fields, "mlp_only_layers", { min: 0, max: LAYERS.max }) : undefined,
    denseLayers: integerField(fields, "num_dense_layers", { min: 0, max: LAYERS.max }),
    useExpertBias: booleanField(fields, "use_expert_bias"),
    routedScalingFactor: numberField(fields, "routed_scaling_factor", FACTOR),
    fullAttnIdxs: fields.values.has("full_attn_idxs") ? integersField(fields, "full_attn_idxs", { min: 0, max: LAYERS.max }) : undefined,
    convCacheLength: integerField(fields, "conv_L_cache", { min: 2, max: 64 }),
    convBias: booleanField(fields, "conv_bias"),
    blockAutoAdjustFfDim: booleanField(fields, "block_auto_adjust_ff_dim"),
    blockFfnDimMultiplier: numberField(fields, "block_ffn_dim_multiplier", FACTOR),
    blockMultipleOf: integerField(fields, "block_multiple_of", WIDTH),
    fullAttentionInterval: integerField(fields, "full_attention_interval", LAYERS),
    linearKeyHeads: integerField(fields, "linear_num_key_heads", HEADS),
    linearValueHeads: integerField(fields, "linear_num_value_heads", HEADS),
    linearKeyHeadDim: integerField(fields, "linear_key_head_dim", { min: 1, max: 256 }),
    linearValueHeadDim: integerField(fields, "linear_value_head_dim", { min: 1, max: 256 }),
    linearConvKernelDim: integerField(fields, "linear_conv_kernel_dim", { min: 2, max: 64 }),
    positionEmbeddingType: stringField(fields, "position_embedding_type"),
    sharedIntermediateSize: integerField(fields, "shared_intermediate_size", WIDTH),
    sharedExpertIntermediateSize: integerField(fields, "shared_expert_intermediate_size", WIDTH),
    mambaExpand: integerField(fields, "mamba_expand", { min: 1, max: 64 }),
    mambaHeads: integerField(fields, "mamba_n_heads", HEADS),
    mambaGroups: integerField(fields, "mamba_n_groups", HEADS),
    mambaStateDim: integerField(fields, "mamba_d_state", HEADS),
    mambaTaps: integerField(fields, "mamba_d_conv", { min: 2, max: 64 }),
    mambaConvBias: booleanField(fields, "mamba_conv_bias"),
    mambaProjBias: booleanField(fields, "mamba_proj_bias"),
    mambaWidth: integerField(fields, "mamba_d_ssm", WIDTH),
    mambaRmsNorm: booleanField(fields, "mamba_rms_norm"),
    mambaNormBeforeGate: booleanField(fields, "mamba_norm_before_gate"),
    projectorsBias: booleanField(fields, "projectors_bias"),
    lmHeadMultiplier: numberField(fields, "lm_head_multiplier", FACTOR),
    keyMultiplier: numberField(fields, "key_multiplier", FACTOR),
    attentionInMultiplier: numberField(fields, "attention_in_multiplier", FACTOR),
    attentionOutMultiplier: numberField(fields, "attention_out_multiplier", FACTOR),
    ssmInMultiplier: numberField(fields, "ssm_in_multiplier", FACTOR),
    ssmOutMultiplier: numberField(fields, "ssm_out_multiplier", FACTOR),
    ssmMultipliers: numbersField(fields, "ssm_multipliers", FACTOR),
    mlpMultipliers: numbersField(fields, "mlp_multipliers", FACTOR),
  };
}
