// Merge the parts of split attention into one row per token, when there are too many to merge while reading. One
// workgroup a row. Parts: block, step, input_merge. Constants: K, HEADS, HEAD_DIM, SPLITS.
@group(0) @binding(2) var<storage, read_write> outputs: array<vec4f>; // [M, K / 4], striped

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  if (!row_is_active(workgroup.y)) {
    return;
  }
  let quad = workgroup.x * 64u + thread;
  if (quad < HEADS * HEAD_DIM / 4u) {
    outputs[workgroup.y * (K / 4u) + striped(quad, K / 32u)] = merged_quad(workgroup.y, quad);
  }
}
