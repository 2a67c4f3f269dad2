// Count the logits of each row that is to be drawn from, and sum up their probabilities, in bins from the peak down: where top-k
// and top-p end can then be told to within a bin. Parts: candidate, sampling_options, step, drawn_row, shortlist, best_of_workgroup, best_stat.
// Constants: M, VOCAB, OUTPUT_STRIDE, GROUPS, STAT_COUNT, STAT_STRIDE.

var<workgroup> counts: array<atomic<u32>, BINS>;
var<workgroup> masses_low: array<atomic<u32>, BINS>;
var<workgroup> masses_high: array<atomic<u32>, BINS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!is_drawn(m)) {
    return;
  }
  let slot = rows[m].x;
  let temperature = sampling[slot].temperature;
  let peak = best_stat(m, thread).logit;
  if (workgroup.x == 0u && thread == 0u) {
    shortlists[m].peak = peak;
  }
  if (!has_top_k(slot) && !has_top_p(slot)) {
    return;
  }
  atomicStore(&counts[thread], 0u);
  atomicStore(&masses_low[thread], 0u);
  atomicStore(&masses_high[thread], 0u);
  workgroupBarrier();
  for (var i = thread; i < SPAN; i += THREADS) {
    let id = workgroup.x * SPAN + i;
    if (id < VOCAB) {
      let logit = logits[m * OUTPUT_STRIDE + id];
      let bin = bin_of(logit, peak, temperature);
      if (bin < BINS) {
        let mass = mass_of(logit, peak, temperature);
        atomicAdd(&counts[bin], 1u);
        atomicAdd(&masses_low[bin], mass & 4095u);
        atomicAdd(&masses_high[bin], mass >> 12u);
      }
    }
  }
  workgroupBarrier();
  let count = atomicLoad(&counts[thread]);
  if (count > 0u) {
    atomicAdd(&shortlists[m].counts[thread], count);
    atomicAdd(&shortlists[m].masses_low[thread], atomicLoad(&masses_low[thread]));
    atomicAdd(&shortlists[m].masses_high[thread], atomicLoad(&masses_high[thread]));
  }
}
