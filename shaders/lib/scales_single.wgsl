// One scale for every GROUP columns, without a bias: x for the block's first 16 columns, y for the other 16.
// Constants: K, GROUP.
@group(0) @binding(9) var<storage, read> scales: array<f32>;         // [N, K / GROUP]

fn half_scales(row: u32, block: u32) -> vec2f {
  let first = row * (K / GROUP) + (32u * block) / GROUP;
  if (GROUP < 32u) {
    return vec2f(scales[first], scales[first + 1u]);
  }
  return vec2f(scales[first]);
}
