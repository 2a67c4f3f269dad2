// Gated delta rule (Yang et al., "Gated Delta Networks"): a matrix per head forgets, then learns the value that its key
// should have given. A workgroup takes a value head, a thread one of its VALUE_DIM columns, and walks the rows in order,
// each with the state of its own sequence. Parts: block, step, softplus, workgroup_sum. Constants: M, KEY_HEADS, VALUE_HEADS, KEY_DIM, VALUE_DIM,
// CHANNELS = 2 KEY_HEADS KEY_DIM + VALUE_HEADS VALUE_DIM, INPUT_STRIDE, OUTPUT_STRIDE, STATE, STATE_START, EPSILON.
@group(0) @binding(0) var<storage, read> inputs: array<f32>;         // [M, INPUT_STRIDE]: queries, keys, values, gates z, then b and a per value head
@group(0) @binding(1) var<storage, read> parameters: array<f32>;     // [VALUE_HEADS] A_log, [VALUE_HEADS] dt_bias, [VALUE_DIM] gains
@group(0) @binding(2) var<storage, read_write> outputs: array<f32>;  // [M, OUTPUT_STRIDE], striped
@group(0) @binding(3) var<storage, read_write> state: array<f32>;    // [slots, STATE]: from STATE_START [VALUE_HEADS, KEY_DIM, VALUE_DIM]

const THREADS = VALUE_DIM;
var<workgroup> query: array<f32, KEY_DIM>;
var<workgroup> key: array<f32, KEY_DIM>;

fn sigmoid(x: f32) -> f32 {
  return 1.0 / (1.0 + exp(-x));
}

// Queries and keys of unit length, queries shortened further by the square root of their size.
fn load_key(m: u32, key_head: u32, thread: u32) {
  let first = m * INPUT_STRIDE + key_head * KEY_DIM;
  var query_squares = 0.0;
  var key_squares = 0.0;
  for (var dim = thread; dim < KEY_DIM; dim += VALUE_DIM) {
    let q = inputs[first + dim];
    let k = inputs[first + KEY_HEADS * KEY_DIM + dim];
    query[dim] = q;
    key[dim] = k;
    query_squares += q * q;
    key_squares += k * k;
  }
  let query_scale = inverseSqrt(workgroup_sum(thread, query_squares) + 1e-6) * inverseSqrt(f32(KEY_DIM));
  let key_scale = inverseSqrt(workgroup_sum(thread, key_squares) + 1e-6);
  for (var dim = thread; dim < KEY_DIM; dim += VALUE_DIM) {
    query[dim] *= query_scale;
    key[dim] *= key_scale;
  }
  workgroupBarrier();
}

@compute @workgroup_size(VALUE_DIM)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let head = workgroup.x;
  let element = head * VALUE_DIM + thread;
  let place = striped_element(element, OUTPUT_STRIDE);
  for (var m = 0u; m < M; m++) {
    if (!row_is_active(m)) {
      continue;
    }
    load_key(m, head / (VALUE_HEADS / KEY_HEADS), thread);
    let base = m * INPUT_STRIDE;
    let value = inputs[base + 2u * KEY_HEADS * KEY_DIM + element];
    let gate = inputs[base + CHANNELS + element];
    let beta = sigmoid(inputs[base + CHANNELS + VALUE_HEADS * VALUE_DIM + head]);
    let pace = inputs[base + CHANNELS + VALUE_HEADS * VALUE_DIM + VALUE_HEADS + head];
    let forget = exp(-exp(parameters[head]) * softplus(pace + parameters[VALUE_HEADS + head]));
    let keep = select(forget, 0.0, rows[m].y == 0u); // a sequence starts from nothing, whatever its slot held before
    let first = rows[m].x * STATE + STATE_START + head * KEY_DIM * VALUE_DIM + thread;
    var recalled = 0.0;
    for (var dim = 0u; dim < KEY_DIM; dim++) {
      recalled += key[dim] * keep * state[first + dim * VALUE_DIM];
    }
    let correction = (value - recalled) * beta;
    var result = 0.0;
    for (var dim = 0u; dim < KEY_DIM; dim++) {
      let learnt = keep * state[first + dim * VALUE_DIM] + key[dim] * correction;
      state[first + dim * VALUE_DIM] = learnt;
      result += query[dim] * learnt;
    }
    let scale = inverseSqrt(workgroup_sum(thread, result * result) / f32(VALUE_DIM) + EPSILON);
    outputs[m * OUTPUT_STRIDE + place] = result * scale * parameters[2u * VALUE_HEADS + thread] * gate * sigmoid(gate);
  }
}
