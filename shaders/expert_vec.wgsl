// Products with the matrices of chosen experts (Shazeer et al., "Outrageously Large Neural Networks"): only the rows of
// experts that some token chose are read. Streams and lanes are those of matmul_vec.wgsl. Either every choice of a row
// gives a row of results of its own (TAKEN = 1, inputs by row, INPUT_SHARE = CHOSEN), or a workgroup adds up all choices
// of a row by their weights (TAKEN = CHOSEN, inputs by choice, INPUT_SHARE = 1). Parts: block, step, reduce_*, weight_*
// (scales_*), input_*, expert_bias_*, bias_none, output_*. Constants: K, ROWS, EXPERT_ROWS (rows of one expert), PART_ROWS and ROW_START
// (whole experts), CHOSEN, TAKEN, INPUT_SHARE, IS_WEIGHTED, STORES_ALL (whether rows that chose no expert of the
// part get zeros).
struct Choice {
  expert: u32,
  weight: f32,
}
@group(0) @binding(6) var<storage, read> choices: array<Choice>;     // [M, CHOSEN]

const UNITS = ROWS / 2u; // results are emitted in pairs of rows

// Whether an expert's matrix lies in the part that is bound.
fn is_here(expert: u32) -> bool {
  return expert * EXPERT_ROWS >= ROW_START && expert * EXPERT_ROWS < ROW_START + PART_ROWS;
}

// The biases of two rows, of one choice or of all by their weights.
fn chosen_biases(group: u32, row: u32) -> vec2f {
  var biases = vec2f();
  for (var taken = 0u; taken < TAKEN; taken++) {
    let choice = choices[group * TAKEN + taken];
    biases += select(0.0, select(1.0, choice.weight, IS_WEIGHTED), is_here(choice.expert)) * expert_bias_pair(choice.expert, row);
  }
  return biases;
}

@compute @workgroup_size(WORKGROUP)
fn main(invocation: Invocation) {
  let group = invocation.workgroup.y;
  let is_active = row_is_active(group * TAKEN / CHOSEN);
  begin_reduction(invocation);
  let stream = invocation.thread / THREADS;
  let lane = invocation.thread % THREADS;
  let first_row = (invocation.workgroup.x * STREAMS + stream) * ROWS;

  var sums: array<f32, ROWS>;
  var squares = 0.0;
  var takes_part = STORES_ALL;
  for (var taken = 0u; taken < select(0u, TAKEN, is_active); taken++) {
    let choice = choices[group * TAKEN + taken];
    if (!is_here(choice.expert)) {
      continue;
    }
    takes_part = true;
    let weight = select(1.0, choice.weight, IS_WEIGHTED);
    for (var block = lane; block < K / 32u; block += THREADS) {
      let loaded = load_inputs((group * TAKEN + taken) / INPUT_SHARE, block);
      let x_sum = block_sum(loaded.x);
      squares += loaded.squares;
      for (var r = 0u; r < ROWS; r++) {
        let row = choice.expert * EXPERT_ROWS - ROW_START + min(first_row + r, EXPERT_ROWS - 1u);
        sums[r] += weight * dot_weights(fetch_weights(row, block), loaded.x, x_sum);
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    publish(stream, lane, r, sums[r]);
  }
  publish(stream, lane, ROWS, squares);
  workgroupBarrier();

  for (var unit = lane; unit < UNITS; unit += THREADS) {
    let r = 2u * unit;
    if (takes_part && first_row + r < EXPERT_ROWS) {
      let product = vec2f(total(stream, r), total(stream, r + 1u));
      emit(group, first_row + r, product * input_scale(total(stream, ROWS)) + chosen_biases(group, first_row + r));
    }
  }
}
