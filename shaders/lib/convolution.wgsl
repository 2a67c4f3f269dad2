// A causal convolution over time, per channel, which keeps the inputs that it will need again. Parts: step. Constants:
// CHANNELS, TAPS, STATE (floats of a sequence).
@group(0) @binding(1) var<storage, read> kernel: array<f32>;         // [CHANNELS, TAPS], then [CHANNELS] biases
@group(0) @binding(3) var<storage, read_write> state: array<f32>;    // [slots, STATE]: [CHANNELS, TAPS - 1] first, oldest first

// Take the input `own` of row m, and return the channel's result.
fn convolved(m: u32, channel: u32, own: f32) -> f32 {
  let first = rows[m].x * STATE + channel * (TAPS - 1u);
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
  return sum;
}
