// Add learned position embeddings to the residual stream, one workgroup a row. Parts: block, step, weight_*
// (scales_*). Constants: K.
@group(0) @binding(0) var<storage, read_write> hidden: array<vec4f>; // [M, K / 4], striped

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  for (var block = thread; block < K / 32u; block += 64u) {
    const BLOCKS = K / 32u;
    let w = load_weights(min(rows[m].y, PART_ROWS - 1u), block);
    let first = m * (K / 4u) + block;
    hidden[first] += w[0];
    hidden[first + BLOCKS] += w[1];
    hidden[first + 2u * BLOCKS] += w[2];
    hidden[first + 3u * BLOCKS] += w[3];
    hidden[first + 4u * BLOCKS] += w[4];
    hidden[first + 5u * BLOCKS] += w[5];
    hidden[first + 6u * BLOCKS] += w[6];
    hidden[first + 7u * BLOCKS] += w[7];
  }
}
