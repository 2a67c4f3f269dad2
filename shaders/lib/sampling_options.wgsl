// What each sequence asked for; written when its generation starts. 112 bytes, the same in kernels/sampling_options.ts.
struct SamplingOptions {
  temperature: f32,
  top_p: f32,
  log_min_p: f32,          // natural logarithm; -3e38 when off
  repetition: f32,         // 1 when off
  presence: f32,
  frequency: f32,
  top_k: u32,              // 0 when off
  seed: u32,
  limit: u32,              // tokens to generate
  penalised: u32,          // 1 when any penalty is on
  stops: u32,              // how many of stop_ids count
  padding: u32,
  stop_ids: array<vec4u, 4>,
}
@group(0) @binding(11) var<uniform> sampling: array<SamplingOptions, 8>;  // [slots]

const IN_PROMPT = 0x80000000u; // of a `seen` entry; the bits below count the token in the answer
