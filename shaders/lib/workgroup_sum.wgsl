// A sum over all threads of a workgroup, added up in their order. Constants: THREADS.
var<workgroup> lane_sums: array<f32, THREADS>;

fn workgroup_sum(thread: u32, own: f32) -> f32 {
  lane_sums[thread] = own;
  workgroupBarrier();
  var sum = 0.0;
  for (var lane = 0u; lane < THREADS; lane++) {
    sum += lane_sums[lane];
  }
  workgroupBarrier();
  return sum;
}
