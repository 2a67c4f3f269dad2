// One scale and one bias for every GROUP columns, kept in the checkpoint's own precision. Constants: K, GROUP.
@group(1) @binding(1) var<storage, read> pairs: array<vec2f>;          // [N, K / GROUP]: scale, bias

fn scale_and_bias(row: u32, block: u32) -> vec2f {
  let pair = pairs[row * (K / GROUP) + block / (GROUP / 32u)];
  return pair;
}
