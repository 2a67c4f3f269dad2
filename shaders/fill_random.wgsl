// Random 4-bit codes, or the scales and biases that centre them on zero, for models that only measure speed. Parts:
// random. Constants: WORDS, CODES (whether to write codes), SCALE.
@group(0) @binding(0) var<storage, read_write> words: array<u32>;    // [WORDS]: eight codes, or a half-float pair

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * 65536u + id.x;
  if (i < WORDS) {
    words[i] = select(pack2x16float(vec2f(SCALE, -7.5 * SCALE)), hash(7u, id.y, id.x), CODES);
  }
}
