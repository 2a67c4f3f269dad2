import type { ModelConfig } from "../formats/model_config.ts";
import type { LinearSpec, MambaSpec } from "../kernels/decoder_spec.ts";
import { stacked } from "./modules.ts";

/** Describe a Mamba-2 mixer of `inner` channels whose module is `name`; a norm of its result is the family's business. */
export function mamba(config: ModelConfig, name: string, inner: number): MambaSpec {
  const { hiddenSize, mambaHeads: heads = 128, mambaGroups: groups = 1, mambaStateDim: stateDim = 256 } = config;
  const channels = inner + 2 * groups * stateDim;
  const projection = { module: `${name}.in_proj`, rows: inner + channels + heads, bias: config.mambaProjBias ?? false, isTransposed: false };
  const input: LinearSpec = {
    label: `${name} input`,
    rows: projection.rows,
    columns: hiddenSize,
    // The checkpoint has the gates first; what is convolved leads here.
    sources: [{ ...projection, moves: [
      { from: 0, rows: inner, to: channels, stride: 1 },
      { from: inner, rows: channels, to: 0, stride: 1 },
      { from: inner + channels, rows: heads, to: channels + inner, stride: 1 },
    ] }],
  };
  return {
    kind: "mamba",
    heads,
    headDim: inner / heads,
    groups,
    stateDim,
    channels,
    taps: config.mambaTaps ?? 4,
    kernel: `${name}.conv1d.weight`,
    bias: (config.mambaConvBias ?? true) ? `${name}.conv1d.bias` : undefined,
    decay: `${name}.A_log`,
    paceBias: `${name}.dt_bias`,
    skip: `${name}.D`,
    norm: undefined,
    normPrecedesGate: false,
    input,
    output: stacked(`${name} output`, inner, [{ module: `${name}.out_proj`, rows: hiddenSize, bias: config.mambaProjBias ?? false }]),
  };
}
