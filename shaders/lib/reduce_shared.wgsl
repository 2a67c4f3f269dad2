// Sums over the THREADS lanes of a stream, for VALUES numbers at once, through workgroup memory and one barrier, which
// the kernel places between publish() and total(). The order of additions is fixed. Constants: STREAMS, THREADS, VALUES.
struct Invocation {
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) thread: u32,
}

var<workgroup> partials: array<f32, STREAMS * VALUES * THREADS>;

fn begin_reduction(invocation: Invocation) {}

fn publish(stream: u32, lane: u32, value: u32, part: f32) {
  partials[(stream * VALUES + value) * THREADS + lane] = part;
}

fn total(stream: u32, value: u32) -> f32 {
  var sum = 0.0;
  for (var lane = 0u; lane < THREADS; lane++) {
    sum += partials[(stream * VALUES + value) * THREADS + lane];
  }
  return sum;
}
