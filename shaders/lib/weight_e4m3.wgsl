// 8-bit floats with four bits of exponent (OCP FP8, E4M3), each group with a scale. Constants: K.
@group(0) @binding(8) var<storage, read> codes: array<vec4u>;        // [N, K / 16]; word j, byte b: element 4j + b

// Exponent and fraction move to their places in an f32, whose bias is larger by 120; the smallest have no exponent.
fn value_quad(word: u32) -> vec4f {
  let bytes = vec4u(word, word >> 8u, word >> 16u, word >> 24u) & vec4u(255u);
  let normal = bitcast<vec4f>(((bytes & vec4u(127u)) << vec4u(20u)) + vec4u(0x3c000000u));
  let size = select(normal, vec4f(bytes & vec4u(7u)) / 512.0, (bytes & vec4u(0x78u)) == vec4u(0u));
  return select(size, -size, bytes > vec4u(127u));
}

fn load_weights(row: u32, block: u32) -> Block {
  let a = codes[row * (K / 16u) + 2u * block];
  let b = codes[row * (K / 16u) + 2u * block + 1u];
  let scale = half_scales(row, block);
  return Block(
    scale.x * value_quad(a.x), scale.x * value_quad(a.y), scale.x * value_quad(a.z), scale.x * value_quad(a.w),
    scale.y * value_quad(b.x), scale.y * value_quad(b.y), scale.y * value_quad(b.z), scale.y * value_quad(b.w),
  );
}
