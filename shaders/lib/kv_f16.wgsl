// Keys and values as half floats in words, which needs no shader-f16.
@group(0) @binding(8) var<storage, read_write> kv: array<vec4u>;     // [pages, KV_HEADS, K then V, 64 * CHUNKS]

const HALF_MAX = 65504.0; // a larger value would become infinite

fn load_eight(index: u32) -> Eight {
  let words = kv[index];
  return Eight(vec4f(unpack2x16float(words.x), unpack2x16float(words.y)), vec4f(unpack2x16float(words.z), unpack2x16float(words.w)));
}

fn store_eight(index: u32, value: Eight) {
  let low = clamp(value.low, vec4f(-HALF_MAX), vec4f(HALF_MAX));
  let high = clamp(value.high, vec4f(-HALF_MAX), vec4f(HALF_MAX));
  kv[index] = vec4u(pack2x16float(low.xy), pack2x16float(low.zw), pack2x16float(high.xy), pack2x16float(high.zw));
}
