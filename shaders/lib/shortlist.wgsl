// What sampling with a temperature narrows a row's logits down to, in two passes of many workgroups (sample_count.wgsl,
// sample_shortlist.wgsl), so that the one workgroup of sample.wgsl, which empties it again, has few to choose from. Parts: candidate.
// Constants: M, VOCAB, GROUPS (workgroups of a pass).
const THREADS = 256u;
const SPAN = 8u * THREADS;   // logits of a workgroup
const BINS = THREADS;        // of as many logits from the peak down, one to a thread
const REACH = 20.0;          // how far below the peak they go, in temperatures: noise lies between -2.9 and 16.7, so no draw comes from further
const MASS_ONE = 16777216.0; // probabilities are summed as integers of 24 bits, in two halves, so that order cannot matter

struct Shortlist {
  peak: f32,                                  // the highest logit
  length: atomic<u32>,                        // of entries
  wanted: f32,                                // how many of the entries top-k still admits, or how much of their mass top-p without it
  counts: array<atomic<u32>, BINS>,           // tokens of each bin
  masses_low: array<atomic<u32>, BINS>,       // their probabilities, times MASS_ONE: the low 12 bits
  masses_high: array<atomic<u32>, BINS>,      // and the others
  bests: array<Candidate, GROUPS>,            // the best draw of each workgroup among tokens that are admitted for sure
  entries: array<Candidate, VOCAB>,           // logits of tokens that may be admitted, in no order
}
@group(0) @binding(5) var<storage, read_write> shortlists: array<Shortlist, M>; // [M]: one for each row

// The bin of a logit; BINS and more for those that no draw comes from.
fn bin_of(logit: f32, peak: f32, temperature: f32) -> u32 {
  return u32(min((peak - logit) / temperature * (f32(BINS) / REACH), f32(BINS)));
}

fn mass_of(logit: f32, peak: f32, temperature: f32) -> u32 {
  return u32(exp((logit - peak) / temperature) * MASS_ONE);
}

fn whole_mass(low: u32, high: u32) -> f32 {
  return f32(high) * 4096.0 + f32(low);
}

fn has_top_k(slot: u32) -> bool {
  return sampling[slot].top_k > 0u && sampling[slot].top_k < VOCAB;
}

fn has_top_p(slot: u32) -> bool {
  return sampling[slot].top_p < 1.0;
}
