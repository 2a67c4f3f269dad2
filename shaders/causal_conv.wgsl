// Causal convolution over time and SiLU, per channel and in place. A thread owns a channel and walks the rows in order,
// each with the state of its own sequence. Parts: step. Constants: M, CHANNELS, TAPS, INPUT_STRIDE, STATE (floats of a
// sequence).
@group(0) @binding(0) var<storage, read_write> values: array<f32>;   // [M, INPUT_STRIDE]: CHANNELS first
@group(0) @binding(1) var<storage, read> kernel: array<f32>;         // [CHANNELS, TAPS], then [CHANNELS] biases
@group(0) @binding(2) var<storage, read_write> state: array<f32>;    // [slots, STATE]: [CHANNELS, TAPS - 1] first, oldest first

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
    let first = rows[m].x * STATE + channel * (TAPS - 1u);
    let place = m * INPUT_STRIDE + channel;
    let own = values[place];
    var sum = kernel[channel * TAPS + TAPS - 1u] * own + kernel[CHANNELS * TAPS + channel];
    for (var tap = 0u; tap < TAPS - 1u; tap++) {
      // A sequence starts from silence, whatever its slot held before.
      let before = select(state[first + tap], 0.0, rows[m].y == 0u);
      sum += kernel[channel * TAPS + tap] * before;
      if (tap > 0u) {
        state[first + tap - 1u] = before;
      }
    }
    state[first + TAPS - 2u] = own;
    values[place] = sum / (1.0 + exp(-sum));
  }
}
