// Bring a product's rows to the magnitude of the first stream, and place them. Parts: block, step, workgroup_sum,
// altup_begin or altup_end. Constants: WIDTH, STRIDE.
@group(0) @binding(0) var<storage, read> projected: array<f32>;      // [M, STRIDE]

const THREADS = 64u;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  var own = 0.0;
  var wanted = 0.0;
  for (var i = thread; i < WIDTH; i += THREADS) {
    let value = projected[m * STRIDE + i];
    let reference = magnitude_of(m * STRIDE + striped_element(i, STRIDE));
    own += value * value;
    wanted += reference * reference;
  }
  let scale = sqrt(workgroup_sum(thread, wanted) / f32(WIDTH)) * inverseSqrt(max(workgroup_sum(thread, own) / f32(WIDTH), 1e-5));
  for (var i = thread; i < WIDTH; i += THREADS) {
    place(m, striped_element(i, STRIDE), projected[m * STRIDE + i] * scale);
  }
}
