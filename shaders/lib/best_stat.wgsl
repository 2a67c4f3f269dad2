// The best logit of a row, by those of the head's workgroups. Parts: candidate, best_of_workgroup. Constants: THREADS, STAT_COUNT, STAT_STRIDE.
@group(0) @binding(1) var<storage, read> stats: array<Candidate>;    // [M, STAT_STRIDE]: the best of each span of logits

fn best_stat(m: u32, thread: u32) -> Candidate {
  var own = Candidate();
  for (var i = thread; i < STAT_COUNT; i += THREADS) {
    own = better(own, stats[m * STAT_STRIDE + i]);
  }
  return best_of_workgroup(thread, own);
}
