// Choose the next token of each sequence, one workgroup a row, then start the next step: append the token to the ring
// that the CPU reads, advance the row, and put the token's embedding into the residual stream. Temperature zero takes
// the best logit. Otherwise top-k, top-p and min-p become one lowest logit, found by radix selection on the bits of the
// logits, and the draw is the best of logit / temperature + Gumbel noise (Maddison et al., "A* Sampling") from a
// counter-based generator, so that a seed gives the same text whatever the schedule. The CPU twin is
// src/sampling/sampler.ts. Parts: candidate, sampling_options, random, block, weight_* (scales_*), embed_row or
// embed_none. Constants: M, VOCAB, OUTPUT_STRIDE, STAT_COUNT, STAT_STRIDE, RING.
@group(0) @binding(0) var<storage, read> logits: array<f32>;         // [M, OUTPUT_STRIDE]
@group(0) @binding(1) var<storage, read> stats: array<Candidate>;    // [M, STAT_STRIDE]: the best of each span of logits
@group(0) @binding(2) var<storage, read_write> ring: array<u32>;     // [slots, RING + 1]: token ids, then how many there were
@group(0) @binding(3) var<storage, read_write> seen: array<u32>;     // [slots, VOCAB]: IN_PROMPT | times in the answer
@group(0) @binding(10) var<storage, read_write> rows: array<vec4u>;   // [M]: sequence slot, position, token id, 1 while it runs

const THREADS = 256u;
const MASS_ONE = 16777216.0; // probabilities are summed as integers of 24 bits, in two halves, so that order cannot matter
var<workgroup> current: vec4u;
var<workgroup> step: u32;
var<workgroup> candidates: array<Candidate, THREADS>;
var<workgroup> bins_low: array<atomic<u32>, 256>;
var<workgroup> bins_high: array<atomic<u32>, 256>;
var<workgroup> digit: u32;
var<workgroup> still_wanted: f32;

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

fn greedy(m: u32, thread: u32) -> Candidate {
  var own = Candidate();
  for (var i = thread; i < STAT_COUNT; i += THREADS) {
    own = better(own, stats[m * STAT_STRIDE + i]);
  }
  return best_of_workgroup(thread, own);
}

fn bin_value(bin: u32) -> f32 {
  return f32(atomicLoad(&bins_high[bin])) * 4096.0 + f32(atomicLoad(&bins_low[bin]));
}

// Thread 0: the bin in which the running sum from the top reaches what is wanted.
fn find_digit(wanted: f32) {
  var above = 0.0;
  digit = 0u;
  still_wanted = wanted;
  for (var bin = 256u; bin > 0u; bin--) {
    let value = bin_value(bin - 1u);
    if (value > 0.0) {
      digit = bin - 1u;
      still_wanted = wanted - above;
    }
    above += value;
    if (value > 0.0 && above >= wanted) {
      return;
    }
  }
}

struct Selection {
  by_mass: bool,   // sum probabilities instead of counting
  wanted: f32,     // a count, or a fraction of the whole mass
  floor_key: u32,  // logits below it do not take part
  peak: f32,       // the highest logit
  temperature: f32,
}

// The key of the logit at which the sum from the highest logit down reaches what is wanted.
fn select_key(m: u32, thread: u32, selection: Selection) -> u32 {
  var prefix = 0u;
  var wanted = selection.wanted;
  for (var shift = 24i; shift >= 0i; shift -= 8i) {
    atomicStore(&bins_low[thread], 0u);
    atomicStore(&bins_high[thread], 0u);
    workgroupBarrier();
    for (var id = thread; id < VOCAB; id += THREADS) {
      let logit = logits[m * OUTPUT_STRIDE + id];
      let key = sortable(logit);
      let matches = shift == 24i || (key >> u32(min(shift + 8i, 31i))) == (prefix >> u32(min(shift + 8i, 31i)));
      if (matches && key >= selection.floor_key) {
        let bin = (key >> u32(shift)) & 255u;
        if (selection.by_mass) {
          let mass = u32(exp((logit - selection.peak) / selection.temperature) * MASS_ONE);
          atomicAdd(&bins_low[bin], mass & 4095u);
          atomicAdd(&bins_high[bin], mass >> 12u);
        } else {
          atomicAdd(&bins_low[bin], 1u);
        }
      }
    }
    workgroupBarrier();
    if (thread == 0u) {
      if (selection.by_mass && shift == 24i) {
        var whole = 0.0;
        for (var bin = 0u; bin < 256u; bin++) {
          whole += bin_value(bin);
        }
        wanted *= whole;
      }
      find_digit(wanted);
    }
    prefix |= workgroupUniformLoad(&digit) << u32(shift);
    wanted = workgroupUniformLoad(&still_wanted);
  }
  return prefix;
}

// The key of the lowest logit that may be drawn.
fn lowest_key(m: u32, thread: u32, slot: u32, peak: f32) -> u32 {
  let temperature = sampling[slot].temperature;
  var key = 0u;
  if (sampling[slot].top_k > 0u && sampling[slot].top_k < VOCAB) {
    key = select_key(m, thread, Selection(false, f32(sampling[slot].top_k), 0u, peak, temperature));
  }
  if (sampling[slot].top_p < 1.0) {
    key = select_key(m, thread, Selection(true, sampling[slot].top_p, key, peak, temperature));
  }
  return max(key, sortable(peak + temperature * sampling[slot].log_min_p));
}

fn drawn(m: u32, thread: u32, slot: u32, draw: u32) -> Candidate {
  let peak = greedy(m, thread).logit;
  let floor_key = lowest_key(m, thread, slot, peak);
  var own = Candidate();
  for (var id = thread; id < VOCAB; id += THREADS) {
    let logit = logits[m * OUTPUT_STRIDE + id];
    if (sortable(logit) >= floor_key) {
      let noise = gumbel(sampling[slot].seed, draw, id);
      own = better(own, Candidate((logit - peak) / sampling[slot].temperature + noise, id + 1u));
    }
  }
  return best_of_workgroup(thread, own);
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

@compute @workgroup_size(256)
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
    winner = greedy(m, thread);
  } else {
    winner = drawn(m, thread, row.x, draw);
  }
  let token = winner.mark - 1u;
  if (thread == 0u) {
    advance(m, token);
  }
  embed(m, token, thread, THREADS);
}
