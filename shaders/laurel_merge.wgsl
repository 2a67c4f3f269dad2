// The detour beside attention joins the residual stream: h = (h + norm(h) + norm(detour)) / sqrt(2) (Menghani et al.,
// "LAuReL"). Parts: block, step, workgroup_sum. Constants: WIDTH, STRIDE, EPSILON.
@group(0) @binding(0) var<storage, read_write> hidden: array<f32>;   // [M, STRIDE], striped
@group(0) @binding(1) var<storage, read> detours: array<f32>;        // [M, STRIDE]
@group(0) @binding(2) var<storage, read> own_gains: array<f32>;      // [STRIDE], striped
@group(0) @binding(3) var<storage, read> detour_gains: array<f32>;   // [STRIDE], striped

const THREADS = 64u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  var own_squares = 0.0;
  var detour_squares = 0.0;
  for (var i = thread; i < WIDTH; i += THREADS) {
    let own = hidden[m * STRIDE + striped_element(i, STRIDE)];
    let detour = detours[m * STRIDE + i];
    own_squares += own * own;
    detour_squares += detour * detour;
  }
  let own_scale = inverseSqrt(workgroup_sum(thread, own_squares) / f32(WIDTH) + EPSILON);
  let detour_scale = inverseSqrt(workgroup_sum(thread, detour_squares) / f32(WIDTH) + EPSILON);
  for (var i = thread; i < WIDTH; i += THREADS) {
    let place = striped_element(i, STRIDE);
    let own = hidden[m * STRIDE + place];
    hidden[m * STRIDE + place] = 0.70710678 * (own + own * own_scale * own_gains[place] + detours[m * STRIDE + i] * detour_scale * detour_gains[place]);
  }
}
