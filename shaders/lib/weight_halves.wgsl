// Floats of 16 bits, two to a word. Parts: block, halves_*. Constants: K.
@group(0) @binding(8) var<storage, read> codes: array<vec4u>;        // [N, K / 8]; word j: elements 2j (low half) and 2j + 1

fn load_weights(row: u32, block: u32) -> Block {
  let first = row * (K / 8u) + 4u * block;
  let a = codes[first];
  let b = codes[first + 1u];
  let c = codes[first + 2u];
  let d = codes[first + 3u];
  return Block(
    half_quad(a.x, a.y), half_quad(a.z, a.w), half_quad(b.x, b.y), half_quad(b.z, b.w),
    half_quad(c.x, c.y), half_quad(c.z, c.w), half_quad(d.x, d.y), half_quad(d.z, d.w),
  );
}
