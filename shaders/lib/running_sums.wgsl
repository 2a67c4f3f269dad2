// Running sums over a number of every thread of a workgroup, and where they reach what is wanted. Constants: THREADS.
var<workgroup> running: array<f32, THREADS>; // after sum_up: the sum of the numbers up to each thread's
var<workgroup> first_reaching: atomic<u32>;
var<workgroup> last_holding: atomic<u32>;

// Return the sum of all.
fn sum_up(thread: u32, own: f32) -> f32 {
  running[thread] = own;
  for (var distance = 1u; distance < THREADS; distance *= 2u) {
    workgroupBarrier();
    let before = select(0.0, running[max(thread, distance) - distance], thread >= distance);
    workgroupBarrier();
    running[thread] += before;
  }
  workgroupBarrier();
  return running[THREADS - 1u];
}

// The first thread that holds something and at which the running sum reaches what is wanted; the last that holds something if
// none does, which rounding may lead to. `own` is what was summed up.
fn place_reaching(thread: u32, own: f32, wanted: f32) -> u32 {
  if (thread == 0u) {
    atomicStore(&first_reaching, THREADS);
    atomicStore(&last_holding, 0u);
  }
  workgroupBarrier();
  if (own > 0.0) {
    atomicMax(&last_holding, thread);
    if (running[thread] >= wanted) {
      atomicMin(&first_reaching, thread);
    }
  }
  workgroupBarrier();
  return min(atomicLoad(&first_reaching), atomicLoad(&last_holding));
}

// The sum of what the threads before one hold.
fn sum_before(place: u32) -> f32 {
  return select(0.0, running[max(place, 1u) - 1u], place > 0u);
}
