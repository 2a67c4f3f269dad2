// As reduce_shared.wgsl, with the first stage inside each subgroup. A stream must hold whole subgroups, and lanes must
// be numbered in subgroup order; the self-test at load proves both. Constants: STREAMS, THREADS, VALUES, SUBGROUP_MIN.
struct Invocation {
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_size) subgroup_size: u32,
}

const PARTS = THREADS / SUBGROUP_MIN;
var<workgroup> partials: array<f32, STREAMS * VALUES * PARTS>;
var<private> lanes_per_part: u32;

fn begin_reduction(invocation: Invocation) {
  lanes_per_part = invocation.subgroup_size;
}

fn publish(stream: u32, lane: u32, value: u32, part: f32) {
  let sum = subgroupAdd(part);
  if (lane % lanes_per_part == 0u) {
    partials[(stream * VALUES + value) * PARTS + lane / lanes_per_part] = sum;
  }
}

fn total(stream: u32, value: u32) -> f32 {
  var sum = 0.0;
  for (var part = 0u; part < THREADS / lanes_per_part; part++) {
    sum += partials[(stream * VALUES + value) * PARTS + part];
  }
  return sum;
}
