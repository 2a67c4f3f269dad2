// Gated short convolution over time (Hasani et al., "LFM2"): out = C * conv(B * x), causal and per channel. A thread owns
// a channel and walks the rows in order, each with the state of its own sequence, so that decoding and prefill are the
// same. Parts: block, step. Constants: M, CHANNELS, TAPS, INPUT_STRIDE, OUTPUT_STRIDE.
@group(0) @binding(0) var<storage, read> inputs: array<f32>;         // [M, INPUT_STRIDE]: CHANNELS of B, of C, of x
@group(0) @binding(1) var<storage, read> kernel: array<f32>;         // [CHANNELS, TAPS], then [CHANNELS] biases
@group(0) @binding(2) var<storage, read_write> outputs: array<f32>;  // [M, OUTPUT_STRIDE], striped
@group(0) @binding(3) var<storage, read_write> state: array<f32>;    // [slots, CHANNELS, TAPS - 1]: the inputs before, oldest first

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let channel = id.x;
  if (channel >= CHANNELS) {
    return;
  }
  let place = 4u * striped(channel / 4u, OUTPUT_STRIDE / 32u) + channel % 4u;
  for (var m = 0u; m < M; m++) {
    if (!row_is_active(m)) {
      continue;
    }
    let first = (rows[m].x * CHANNELS + channel) * (TAPS - 1u);
    let base = m * INPUT_STRIDE + channel;
    let own = inputs[base] * inputs[base + 2u * CHANNELS];
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
    outputs[m * OUTPUT_STRIDE + place] = inputs[base + CHANNELS] * sum;
  }
}
