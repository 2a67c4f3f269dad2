// A draw is the best of logit / temperature + Gumbel noise (Maddison et al., "A* Sampling") from a counter-based generator, so
// that a seed gives the same text whatever the schedule. Parts: candidate, sampling_options, random.

// A token with the score that decides; `draw` counts the tokens before it.
fn drawn(token: Candidate, slot: u32, peak: f32, draw: u32) -> Candidate {
  let noise = gumbel(sampling[slot].seed, draw, token.mark - 1u);
  return Candidate((token.logit - peak) / sampling[slot].temperature + noise, token.mark);
}

// The lowest logit that min-p admits.
fn least_logit(slot: u32, peak: f32) -> f32 {
  return peak + sampling[slot].temperature * sampling[slot].log_min_p;
}
