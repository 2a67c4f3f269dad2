// What this step computes: one entry per row of activations. Written by the CPU before a prefill chunk, by sample.wgsl
// between decoded tokens. Constants: M, the rows of the step.
@group(0) @binding(10) var<storage, read> rows: array<vec4u>;         // [M]: sequence slot, position, token id, 1 while it runs

fn row_is_active(m: u32) -> bool {
  return rows[m].w != 0u;
}

// False once every sequence has ended: tokens that were queued ahead then cost one load each.
fn any_row_is_active() -> bool {
  var running = 0u;
  for (var m = 0u; m < M; m++) {
    running |= rows[m].w;
  }
  return running != 0u;
}
