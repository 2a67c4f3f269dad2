// Causal convolution over time and SiLU, per channel and in place. A thread owns a channel and walks the rows in order,
// each with the state of its own sequence. Parts: step, convolution. Constants: M, CHANNELS, INPUT_STRIDE.
@group(0) @binding(0) var<storage, read_write> values: array<f32>;   // [M, INPUT_STRIDE]: CHANNELS first

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let channel = id.x;
  if (channel >= CHANNELS) {
    return;
  }
  for (var m = 0u; m < M; m++) {
    if (!row_is_active(m)) {
      continue;
    }
    let place = m * INPUT_STRIDE + channel;
    let sum = convolved(m, channel, values[place]);
    values[place] = sum / (1.0 + exp(-sum));
  }
}
