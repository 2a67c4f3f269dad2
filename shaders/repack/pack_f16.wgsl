// Codes as half floats, exact up to 2048, for weights that are dequantised once their scales have come. Constants:
// TARGET_WORDS (of a row, padded).
@group(0) @binding(1) var<storage, read_write> target_words: array<u32>; // [N, TARGET_WORDS]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= 16u * slab.blocks) {
    return;
  }
  let low = code_at(slab.source_row + id.y, 2u * id.x);
  let high = code_at(slab.source_row + id.y, 2u * id.x + 1u);
  target_words[target_row(id.y) * TARGET_WORDS + 16u * slab.first_block + id.x] = pack2x16float(vec2f(f32(low), f32(high)));
}
