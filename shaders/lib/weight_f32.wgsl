// Plain f32 weights. Constants: K.
@group(0) @binding(8) var<storage, read> codes: array<vec4f>;        // [N, K / 4]

fn load_weights(row: u32, block: u32) -> Block {
  let first = row * (K / 4u) + 8u * block;
  return Block(
    codes[first], codes[first + 1u], codes[first + 2u], codes[first + 3u],
    codes[first + 4u], codes[first + 5u], codes[first + 6u], codes[first + 7u],
  );
}
