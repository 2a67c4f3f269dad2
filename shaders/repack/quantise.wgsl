// Float weights to grouped integer codes, exactly as mlx.core.quantize does it: the scale's sign is
// chosen so that the group's largest value, by size, is met exactly. A thread takes a group. Constants: BITS (4 or 8),
// GROUP, COLUMNS, GROUPS (of a row), PAIR_WORDS (1 or 2, of a pair).
@group(0) @binding(1) var<storage, read_write> codes: array<u32>;    // [N, COLUMNS * BITS / 32], in the runtime's order
@group(0) @binding(2) var<storage, read_write> pairs: array<u32>;    // [N, GROUPS, PAIR_WORDS]: scale, bias

const SMALLEST_SCALE = 1e-7;

fn weight_at(row: u32, column: u32) -> f32 {
  return stored_at((slab.source_row + row) * COLUMNS + column);
}

// The upper twelve bits of a fraction; what is left has no more, so products of such halves are exact.
fn upper(value: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(value) & 0xfffff000u);
}

// WGSL lets a quotient be off by a few units in the last place; what is left over of the dividend corrects it.
fn divided(a: f32, b: f32) -> f32 {
  let q = a / b;
  let q_upper = upper(q);
  let q_lower = q - q_upper;
  let b_upper = upper(b);
  let b_lower = b - b_upper;
  let rest = (((a - q_upper * b_upper) - q_upper * b_lower) - q_lower * b_upper) - q_lower * b_lower;
  return q + rest / b;
}

fn code_of(weight: f32, scale: f32, bias: f32) -> u32 {
  return u32(clamp(round(divided(weight - bias, scale)), 0.0, f32((1u << BITS) - 1u)));
}

// Where the runtime's layouts keep element i of a word.
fn place_of(i: u32) -> u32 {
  if (BITS == 8u) {
    return 8u * i;
  }
  return 8u * (i % 4u) + 4u * (i / 4u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= GROUPS) {
    return;
  }
  let first = id.x * GROUP;
  var smallest = weight_at(id.y, first);
  var largest = smallest;
  for (var i = 1u; i < GROUP; i++) {
    let weight = weight_at(id.y, first + i);
    smallest = min(smallest, weight);
    largest = max(largest, weight);
  }
  let is_low = abs(smallest) > abs(largest);
  let step = max(divided(largest - smallest, f32((1u << BITS) - 1u)), SMALLEST_SCALE);
  var scale = select(-step, step, is_low);
  let edge = select(largest, smallest, is_low);
  let code_of_zero = round(divided(edge, scale));
  var bias = 0.0;
  if (code_of_zero != 0.0) {
    scale = divided(edge, code_of_zero);
    bias = edge;
  }
  const PER_WORD = 32u / BITS;
  let row = target_row(id.y);
  for (var word = 0u; word < GROUP / PER_WORD; word++) {
    var packed = 0u;
    for (var i = 0u; i < PER_WORD; i++) {
      packed |= code_of(weight_at(id.y, first + word * PER_WORD + i), scale, bias) << place_of(i);
    }
    codes[row * (COLUMNS / PER_WORD) + first / PER_WORD + word] = packed;
  }
  store_pair((row * GROUPS + id.x) * PAIR_WORDS, scale, bias);
}
