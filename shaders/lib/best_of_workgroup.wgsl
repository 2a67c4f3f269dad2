// The best of what all threads of a workgroup hold. Parts: candidate. Constants: THREADS, a power of two.
var<workgroup> candidates: array<Candidate, THREADS>;

fn best_of_workgroup(thread: u32, own: Candidate) -> Candidate {
  candidates[thread] = own;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) {
      candidates[thread] = better(candidates[thread], candidates[thread + half]);
    }
  }
  workgroupBarrier();
  let winner = candidates[0];
  workgroupBarrier();
  return winner;
}
