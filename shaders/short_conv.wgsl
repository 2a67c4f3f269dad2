// Gated short convolution over time (Hasani et al., "LFM2"): out = C * conv(B * x), causal and per channel. A thread owns
// a channel and walks the rows in order, each with the state of its own sequence, so that decoding and prefill are the
// same. Parts: block, step, convolution. Constants: M, CHANNELS, INPUT_STRIDE, OUTPUT_STRIDE.
@group(0) @binding(0) var<storage, read> inputs: array<f32>;         // [M, INPUT_STRIDE]: CHANNELS of B, of C, of x
@group(0) @binding(2) var<storage, read_write> outputs: array<f32>;  // [M, OUTPUT_STRIDE], striped

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let channel = id.x;
  if (channel >= CHANNELS) {
    return;
  }
  let place = striped_element(channel, OUTPUT_STRIDE);
  for (var m = 0u; m < M; m++) {
    if (!row_is_active(m)) {
      continue;
    }
    let base = m * INPUT_STRIDE + channel;
    let sum = convolved(m, channel, inputs[base] * inputs[base + 2u * CHANNELS]);
    outputs[m * OUTPUT_STRIDE + place] = inputs[base + CHANNELS] * sum;
  }
}
