// A token that may be the best one. The mark is the token id plus one, so that zero means none yet.
struct Candidate {
  logit: f32,
  mark: u32,
}

// The higher logit wins, and the lower token id among equals.
fn better(a: Candidate, b: Candidate) -> Candidate {
  let b_wins = b.mark != 0u && (a.mark == 0u || b.logit > a.logit || (b.logit == a.logit && b.mark < a.mark));
  return Candidate(select(a.logit, b.logit, b_wins), select(a.mark, b.mark, b_wins));
}

// Bits that sort as unsigned integers the way the floats sort.
fn sortable(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}
