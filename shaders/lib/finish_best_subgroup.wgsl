// The best logit of a workgroup, inside its subgroups first. Parts: output_logits. Constants: SUBGROUP (lanes of every
// subgroup, which are numbered in the order of threads), M = 1.
const TEAMS = (WRITERS + SUBGROUP - 1u) / SUBGROUP; // subgroups in which a thread emits
var<workgroup> bests: array<Candidate, TEAMS>;

fn finish(workgroup: u32, thread: u32) {
  let own = best[0];
  let key = select(0u, sortable(own.logit), own.mark != 0u);
  let highest = subgroupMax(key);
  let mark = subgroupMin(select(0xffffffffu, own.mark, key == highest)); // the lower token id among equals
  if (thread < WRITERS && key == highest && own.mark == mark) {
    bests[thread / SUBGROUP] = own;
  }
  workgroupBarrier();
  if (thread == 0u) {
    var winner = bests[0];
    for (var team = 1u; team < TEAMS; team++) {
      winner = better(winner, bests[team]);
    }
    stats[STAT_START + workgroup] = winner;
  }
}
