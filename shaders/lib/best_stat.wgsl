// The best logit of a row, by those of the head's workgroups. Parts: candidate, best_of_workgroup. Constants: THREADS, STAT_COUNT, STAT_STRIDE.
@group(0) @binding(1) var<storage, read> stats: array<Candidate>;    // [M, STAT_STRIDE]: the best of each workgroup of the head

// One past the end is the last once more.
fn stat(m: u32, i: u32) -> Candidate {
  return stats[m * STAT_STRIDE + min(i, STAT_COUNT - 1u)];
}

// Eight are asked for at a time: the first that the head left have gone from the caches.
fn best_stat(m: u32, thread: u32) -> Candidate {
  var own = Candidate();
  for (var i = thread; i < STAT_COUNT; i += 8u * THREADS) {
    let low = better(better(stat(m, i), stat(m, i + THREADS)), better(stat(m, i + 2u * THREADS), stat(m, i + 3u * THREADS)));
    let high = better(better(stat(m, i + 4u * THREADS), stat(m, i + 5u * THREADS)), better(stat(m, i + 6u * THREADS), stat(m, i + 7u * THREADS)));
    own = better(own, better(low, high));
  }
  return best_of_workgroup(thread, own);
}
