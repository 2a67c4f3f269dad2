// What the two passes that narrow logits down know of a row. Parts: sampling_options, step. Constants: M, OUTPUT_STRIDE.
@group(0) @binding(0) var<storage, read> logits: array<f32>;         // [M, OUTPUT_STRIDE]

fn is_drawn(m: u32) -> bool {
  return row_is_active(m) && sampling[rows[m].x].temperature != 0.0;
}
