// Draw among the tokens of each row that are admitted for sure, and list those of the bin in which top-k or top-p ends, or, where
// both are on, of all bins down to the end of top-k. Parts: candidate, sampling_options, random, step, drawn_row, shortlist, draw,
// best_of_workgroup, running_sums. Constants: M, VOCAB, OUTPUT_STRIDE, GROUPS, RING.
@group(0) @binding(2) var<storage, read> ring: array<u32>;           // [slots, RING + 1]: token ids, then how many there were

// Tokens of bins before `sure` are admitted, those of bins from there to before `end` listed.
struct Limits {
  sure: u32,
  end: u32,
}

// The same in every workgroup of a row; the first also leaves how much of the list is wanted. Where top-p chooses from what
// top-k admits, the end of the one is only known with that of the other, and nothing is sure.
fn limits(m: u32, slot: u32, thread: u32, is_first: bool) -> Limits {
  let by_count = has_top_k(slot);
  if (!by_count && !has_top_p(slot)) {
    return Limits(BINS, BINS);
  }
  let mass = whole_mass(atomicLoad(&shortlists[m].masses_low[thread]), atomicLoad(&shortlists[m].masses_high[thread]));
  let own = select(mass, f32(atomicLoad(&shortlists[m].counts[thread])), by_count);
  let all = sum_up(thread, own);
  let wanted = select(sampling[slot].top_p * all, f32(sampling[slot].top_k), by_count);
  let place = place_reaching(thread, own, wanted);
  let sure = select(place, 0u, by_count && has_top_p(slot));
  if (is_first && thread == 0u) {
    shortlists[m].wanted = wanted - sum_before(sure);
  }
  return Limits(sure, place + 1u);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!is_drawn(m)) {
    return;
  }
  let slot = rows[m].x;
  let temperature = sampling[slot].temperature;
  let peak = shortlists[m].peak;
  let draw = ring[slot * (RING + 1u) + RING];
  let least = least_logit(slot, peak);
  let bins = limits(m, slot, thread, workgroup.x == 0u);
  var own = Candidate();
  for (var i = thread; i < SPAN; i += THREADS) {
    let id = workgroup.x * SPAN + i;
    if (id < VOCAB) {
      let token = Candidate(logits[m * OUTPUT_STRIDE + id], id + 1u);
      let bin = bin_of(token.logit, peak, temperature);
      if (bin < bins.sure) {
        if (token.logit >= least) {
          own = better(own, drawn(token, slot, peak, draw));
        }
      } else if (bin < bins.end) {
        shortlists[m].entries[atomicAdd(&shortlists[m].length, 1u)] = token;
      }
    }
  }
  let winner = best_of_workgroup(thread, own);
  if (thread == 0u) {
    shortlists[m].bests[workgroup.x] = winner;
  }
}
