// Selective state space (Dao and Gu, "Transformers are SSMs": Mamba-2): a state per head decays and takes in what it is
// shown. A workgroup takes a head, a thread one of its HEAD_DIM channels, and walks the rows in order, each with the state
// of its own sequence. Parts: block, step, softplus. Constants: M, HEADS, HEAD_DIM, GROUPS (heads of one group share B and C),
// STATE_DIM, GATES (whether the result is multiplied by the gate), GATE_SCALE, PACE_SCALE, CHANNELS = HEADS HEAD_DIM + 2 GROUPS STATE_DIM, INPUT_STRIDE, OUTPUT_STRIDE, STATE, STATE_START.
@group(0) @binding(0) var<storage, read> inputs: array<f32>;         // [M, INPUT_STRIDE]: x, B and C, gates z, then dt per head
@group(0) @binding(1) var<storage, read> parameters: array<f32>;     // [3, HEADS]: A_log, dt_bias, D
@group(0) @binding(2) var<storage, read_write> outputs: array<f32>;  // [M, OUTPUT_STRIDE], striped
@group(0) @binding(3) var<storage, read_write> state: array<f32>;    // [slots, STATE]: from STATE_START [HEADS, STATE_DIM, HEAD_DIM]

@compute @workgroup_size(HEAD_DIM)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  const INNER = HEADS * HEAD_DIM;
  let head = workgroup.x;
  let element = head * HEAD_DIM + thread;
  let place = striped_element(element, OUTPUT_STRIDE);
  for (var m = 0u; m < M; m++) {
    if (!row_is_active(m)) {
      continue;
    }
    let base = m * INPUT_STRIDE;
    let first_b = base + INNER + (head / (HEADS / GROUPS)) * STATE_DIM;
    let first_c = first_b + GROUPS * STATE_DIM;
    let x = inputs[base + element];
    let gate = GATE_SCALE * inputs[base + CHANNELS + element];
    let pace = softplus(PACE_SCALE * inputs[base + CHANNELS + INNER + head] + parameters[HEADS + head]);
    let decay = exp(-exp(parameters[head]) * pace);
    let keep = select(decay, 0.0, rows[m].y == 0u); // a sequence starts from nothing, whatever its slot held before
    let first = rows[m].x * STATE + STATE_START + head * STATE_DIM * HEAD_DIM + thread;
    var result = parameters[2u * HEADS + head] * x;
    for (var dim = 0u; dim < STATE_DIM; dim++) {
      let value = keep * state[first + dim * HEAD_DIM] + pace * x * inputs[first_b + dim];
      state[first + dim * HEAD_DIM] = value;
      result += value * inputs[first_c + dim];
    }
    outputs[m * OUTPUT_STRIDE + place] = result * select(1.0, gate / (1.0 + exp(-gate)), GATES);
  }
}
