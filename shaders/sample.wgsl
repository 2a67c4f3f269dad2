// Choose the next token of each sequence, one workgroup a row, then start the next step: append the token to the ring
// that the CPU reads, advance the row, and put the token's embedding into the residual stream. Temperature zero takes
// the best logit. Otherwise the token is drawn from the row's shortlist, of which top-k and top-p become one lowest logit, found
// by radix selection on the bits of the logits. The CPU twin is src/sampling/sampler.ts. Parts: candidate, sampling_options,
// random, shortlist, draw, best_of_workgroup, best_stat, running_sums, block, weight_* (scales_*), embed_row or embed_none.
// Constants: M, VOCAB, GROUPS, STAT_COUNT, STAT_STRIDE, RING.
@group(0) @binding(2) var<storage, read_write> ring: array<u32>;     // [slots, RING + 1]: token ids, then how many there were
@group(0) @binding(3) var<storage, read_write> seen: array<u32>;     // [slots, VOCAB]: IN_PROMPT | times in the answer
@group(0) @binding(10) var<storage, read_write> rows: array<vec4u>;   // [M]: sequence slot, position, token id, 1 while it runs

var<workgroup> current: vec4u;
var<workgroup> step: u32;
var<workgroup> bins_low: array<atomic<u32>, BINS>;
var<workgroup> bins_high: array<atomic<u32>, BINS>;

// What to select among the entries that are not below a logit.
struct Selection {
  by_mass: bool,     // sum probabilities instead of counting
  is_share: bool,    // of the whole that is wanted, instead of a count or a mass
  wanted: f32,
  least_key: u32,
}

// The key of the logit at which the sum from the highest logit down reaches what is wanted.
fn select_key(m: u32, thread: u32, slot: u32, selection: Selection) -> u32 {
  let length = atomicLoad(&shortlists[m].length);
  var prefix = 0u;
  var wanted = selection.wanted;
  for (var shift = 24i; shift >= 0i; shift -= 8i) {
    atomicStore(&bins_low[thread], 0u);
    atomicStore(&bins_high[thread], 0u);
    workgroupBarrier();
    for (var i = thread; i < length; i += THREADS) {
      let logit = shortlists[m].entries[i].logit;
      let key = sortable(logit);
      let matches = shift == 24i || (key >> u32(min(shift + 8i, 31i))) == (prefix >> u32(min(shift + 8i, 31i)));
      if (matches && key >= selection.least_key) {
        let bin = 255u - ((key >> u32(shift)) & 255u); // from the highest down
        if (selection.by_mass) {
          let mass = mass_of(logit, shortlists[m].peak, sampling[slot].temperature);
          atomicAdd(&bins_low[bin], mass & 4095u);
          atomicAdd(&bins_high[bin], mass >> 12u);
        } else {
          atomicAdd(&bins_low[bin], 1u);
        }
      }
    }
    workgroupBarrier();
    let own = whole_mass(atomicLoad(&bins_low[thread]), atomicLoad(&bins_high[thread]));
    let whole = sum_up(thread, own);
    if (selection.is_share && shift == 24i) {
      wanted *= whole;
    }
    let place = place_reaching(thread, own, wanted);
    wanted -= sum_before(place);
    prefix |= (255u - place) << u32(shift);
  }
  return prefix;
}

// The key of the lowest logit that may be drawn.
fn lowest_key(m: u32, thread: u32, slot: u32) -> u32 {
  var key = 0u;
  if (has_top_k(slot)) {
    key = select_key(m, thread, slot, Selection(false, false, shortlists[m].wanted, 0u));
  }
  if (has_top_p(slot)) {
    let wanted = select(shortlists[m].wanted, sampling[slot].top_p, has_top_k(slot));
    key = select_key(m, thread, slot, Selection(true, has_top_k(slot), wanted, key));
  }
  return max(key, sortable(least_logit(slot, shortlists[m].peak)));
}

// Draw the token, and leave the shortlist empty for the next.
fn draw_token(m: u32, thread: u32, slot: u32, draw: u32) -> Candidate {
  let key = lowest_key(m, thread, slot);
  var own = Candidate();
  for (var i = thread; i < GROUPS; i += THREADS) {
    own = better(own, shortlists[m].bests[i]);
  }
  let length = atomicLoad(&shortlists[m].length);
  for (var i = thread; i < length; i += THREADS) {
    let token = shortlists[m].entries[i];
    if (sortable(token.logit) >= key) {
      own = better(own, drawn(token, slot, shortlists[m].peak, draw));
    }
  }
  let winner = best_of_workgroup(thread, own);
  atomicStore(&shortlists[m].counts[thread], 0u);
  atomicStore(&shortlists[m].masses_low[thread], 0u);
  atomicStore(&shortlists[m].masses_high[thread], 0u);
  if (thread == 0u) {
    atomicStore(&shortlists[m].length, 0u);
  }
  return winner;
}

fn is_stop(slot: u32, token: u32) -> bool {
  for (var i = 0u; i < sampling[slot].stops; i++) {
    if (sampling[slot].stop_ids[i / 4u][i % 4u] == token) {
      return true;
    }
  }
  return false;
}

// Record the token and move the row to it; a stop token or the limit ends the sequence.
fn advance(m: u32, token: u32) {
  let slot = current.x;
  ring[slot * (RING + 1u) + step % RING] = token;
  ring[slot * (RING + 1u) + RING] = step + 1u;
  seen[slot * VOCAB + token] += 1u;
  let runs = select(1u, 0u, is_stop(slot, token) || step + 1u >= sampling[slot].limit);
  rows[m] = vec4u(slot, current.y + 1u, token, runs);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.x;
  if (thread == 0u) {
    current = rows[m];
    step = ring[rows[m].x * (RING + 1u) + RING];
  }
  let row = workgroupUniformLoad(&current);
  if (row.w == 0u) {
    return;
  }
  let draw = workgroupUniformLoad(&step);
  var winner: Candidate;
  if (sampling[row.x].temperature == 0.0) {
    winner = best_stat(m, thread);
  } else {
    winner = draw_token(m, thread, row.x, draw);
  }
  let token = winner.mark - 1u;
  if (thread == 0u) {
    advance(m, token);
  }
  embed(m, token, thread, THREADS);
}
