// Choose the experts of each row by their scores, best first, and what each counts for; one workgroup a row. Parts:
// step, route_*. Constants: EXPERTS, CHOSEN, INPUT_STRIDE, IS_NORMALISED (weights sum to one), NORM_FLOOR, ROUTE_SCALE.
struct Choice {
  expert: u32,
  weight: f32,
}
@group(0) @binding(0) var<storage, read> logits: array<f32>;         // [M, INPUT_STRIDE]
@group(0) @binding(1) var<storage, read_write> choices: array<Choice>; // [M, CHOSEN]

const THREADS = 64u;
const LOWEST = -3.0e38;
var<workgroup> scores: array<f32, EXPERTS>;    // what experts are chosen by; LOWEST once chosen
var<workgroup> lane_best: array<u32, THREADS>;
var<workgroup> chosen: array<u32, CHOSEN>;

// Higher scores win, and the lower number among equals.
fn better(a: u32, b: u32) -> u32 {
  return select(a, b, scores[b] > scores[a] || (scores[b] == scores[a] && b < a));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let m = workgroup.y;
  if (!row_is_active(m)) {
    return;
  }
  for (var expert = thread; expert < EXPERTS; expert += THREADS) {
    scores[expert] = selection_score(m, expert);
  }
  for (var slot = 0u; slot < CHOSEN; slot++) {
    workgroupBarrier();
    var best = min(thread, EXPERTS - 1u);
    for (var expert = thread; expert < EXPERTS; expert += THREADS) {
      best = better(best, expert);
    }
    lane_best[thread] = best;
    workgroupBarrier();
    if (thread == 0u) {
      for (var lane = 1u; lane < THREADS; lane++) {
        best = better(best, lane_best[lane]);
      }
      chosen[slot] = best;
      scores[best] = LOWEST;
    }
  }
  workgroupBarrier();
  if (thread == 0u) {
    var sum = 0.0;
    for (var slot = 0u; slot < CHOSEN; slot++) {
      sum += expert_weight(m, chosen[slot]);
    }
    for (var slot = 0u; slot < CHOSEN; slot++) {
      let weight = ROUTE_SCALE * expert_factor(chosen[slot]) * expert_weight(m, chosen[slot]);
      choices[m * CHOSEN + slot] = Choice(chosen[slot], select(weight, weight / (sum + NORM_FLOOR), IS_NORMALISED));
    }
  }
}
