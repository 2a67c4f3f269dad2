// Draw among the tokens of each row that are admitted for sure, and list those of the bin in which top-k or top-p ends, or, where
// both are on, of all bins down to the end of top-k. Parts: candidate, sampling_options, random, step, shortlist, draw,
// best_of_workgroup, running_sums. Constants: M, VOCAB, OUTPUT_STRIDE, GROUPS, RING.
@group(0) @binding(0) var<storage, read> logits: array<f32>;         // [M, OUTPUT_STRIDE]
@group(0) @binding(2) var<storage, read> ring: array<u32>;           // [slots, RING + 1]: token ids, then how many there were

// Tokens of bins before `sure` are admitted, those of bins from there to before `end` listed.
struct Limits {
  sure: u32,
  end: u32,
}

// The same in every workgroup of a row; the first also leaves how much of the list is wanted.
fn limits(m: u32, slot: u32, thread: u32, is_first: bool) -> Limits {
  if (has_top_k(slot)) {
    let count = f32(atomicLoad(&shortlists[m].counts[thread]));
    _ = sum_up(thread, count);
    let wanted = f32(sampling[slot].top_k);
    let place = place_reaching(thread, count, wanted);
    let sure = select(place, 0u, has_top_p(slot));
    if (is_first && thread == 0u) {
      shortlists[m].count_wanted = wanted - sum_before(sure);
    }
    return Limits(sure, place + 1u);
  }
  if (has_top_p(slot)) {
    let mass = whole_mass(atomicLoad(&shortlists[m].masses_low[thread]), atomicLoad(&shortlists[m].masses_high[thread]));
    let wanted = sampling[slot].top_p * sum_up(thread, mass);
    let place = place_reaching(thread, mass, wanted);
    if (is_first && thread == 0u) {
      shortlists[m].mass_wanted = wanted - sum_before(place);
    }
    return Limits(place, place + 1u);
  }
  return Limits(BINS, BINS);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  let slot = rows[m].x;
  let temperature = sampling[slot].temperature;
  if (!row_is_active(m) || temperature == 0.0) {
    return;
  }
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
