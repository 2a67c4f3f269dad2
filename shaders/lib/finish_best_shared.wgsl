// The best logit of a workgroup, by halves: one thread after another would keep the whole workgroup waiting. Parts: output_logits.
const HALF = 1u << firstLeadingBit(max(WRITERS - 1u, 1u)); // the largest power of two below
var<workgroup> bests: array<Candidate, M * WRITERS>; // [M, WRITERS]

fn finish(workgroup: u32, thread: u32) {
  if (thread < WRITERS) {
    for (var m = 0u; m < M; m++) {
      bests[m * WRITERS + thread] = best[m];
    }
  }
  for (var width = HALF; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (thread < width && thread + width < WRITERS) {
      for (var m = 0u; m < M; m++) {
        bests[m * WRITERS + thread] = better(bests[m * WRITERS + thread], bests[m * WRITERS + thread + width]);
      }
    }
  }
  if (thread == 0u) {
    for (var m = 0u; m < M; m++) {
      stats[m * STAT_STRIDE + STAT_START + workgroup] = bests[m * WRITERS];
    }
  }
}
