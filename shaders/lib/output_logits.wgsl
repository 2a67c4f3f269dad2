// Logits, with the penalties that depend on what was said before (repetition: Keskar et al., "CTRL"), and the best of
// each workgroup, so that greedy decoding need not read them again. Parts: candidate, cap, finish_best_*. Constants:
// OUTPUT_STRIDE, OUTPUT_ROWS, STAT_START, STAT_STRIDE, WRITERS (the first threads, which emit), M.
@group(0) @binding(2) var<storage, read_write> outputs: array<f32>;  // [M, OUTPUT_STRIDE]
@group(0) @binding(4) var<storage, read_write> stats: array<Candidate>; // [M, STAT_STRIDE]: the best of each workgroup
@group(0) @binding(5) var<storage, read> seen: array<u32>;           // [slots, OUTPUT_ROWS]: IN_PROMPT | times in the answer

var<private> best: array<Candidate, M>;

fn penalised(m: u32, row: u32, raw: f32) -> f32 {
  let slot = rows[m].x;
  if (sampling[slot].penalised == 0u) {
    return raw;
  }
  let times = seen[slot * OUTPUT_ROWS + row];
  var logit = raw;
  if (times != 0u) {
    logit = select(raw * sampling[slot].repetition, raw / sampling[slot].repetition, raw > 0.0);
  }
  let answered = times & ~IN_PROMPT;
  if (answered != 0u) {
    logit -= sampling[slot].presence + f32(answered) * sampling[slot].frequency;
  }
  return logit;
}

fn keep(m: u32, row: u32, raw: f32) {
  let logit = penalised(m, row, capped(raw));
  outputs[m * OUTPUT_STRIDE + row] = logit;
  best[m] = better(best[m], Candidate(logit, row + 1u));
}

// Take the results of `row` and `row + 1`, where row is even and the second may lie past the end.
fn emit(m: u32, row: u32, value: vec2f) {
  let result = value + bias_pair(row);
  keep(m, row, result.x);
  if (row + 1u < OUTPUT_ROWS) {
    keep(m, row + 1u, result.y);
  }
}
