// Attention's result times the sigmoid of its gate, in place (Qiu et al., "Gated Attention"). Parts: block, step.
// Constants: WIDTH, GATE_START, QKV_STRIDE, OUTPUT_STRIDE.
@group(0) @binding(0) var<storage, read> qkv: array<f32>;            // [M, QKV_STRIDE]: from GATE_START [WIDTH] gates
@group(0) @binding(1) var<storage, read_write> outputs: array<f32>;  // [M, OUTPUT_STRIDE], striped

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  for (var element = thread; element < WIDTH; element += 64u) {
    let place = m * OUTPUT_STRIDE + striped_element(element, OUTPUT_STRIDE);
    outputs[place] /= 1.0 + exp(-qkv[m * QKV_STRIDE + GATE_START + element]);
  }
}
