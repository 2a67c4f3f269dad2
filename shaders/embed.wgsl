// Start the residual stream from the embedding table, one workgroup a row. Parts: block, step, weight_* (scales_*),
// embed_row.
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  if (row_is_active(workgroup.y)) {
    embed(workgroup.y, rows[workgroup.y].z, thread, 64u);
  }
}
