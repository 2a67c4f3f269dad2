// y = W x for a few rows of x at once: the matrix product of decoding. A workgroup is STREAMS streams of THREADS lanes;
// a stream owns ROWS rows of W, its lanes walk the columns in blocks of 32. Parts: block, step, reduce_*, weight_*
// (scales_*), input_*, bias_*, output_*, finish_*. Constants: K, M, ROWS, PART_ROWS (rows of W bound here), ROW_START
// (the first of them in the whole matrix), WORKGROUP = STREAMS * THREADS.
const UNITS = STREAMS * M * ROWS / 2u; // results are emitted in pairs of rows
const WRITERS = min(WORKGROUP, UNITS); // threads that emit

@compute @workgroup_size(WORKGROUP)
fn main(invocation: Invocation) {
  if (!any_row_is_active()) {
    return;
  }
  begin_reduction(invocation);
  let stream = invocation.thread / THREADS;
  let lane = invocation.thread % THREADS;
  let first_row = (invocation.workgroup.x * STREAMS + stream) * ROWS;

  var sums: array<f32, ROWS * M>;
  var squares: array<f32, M>;
  for (var block = lane; block < K / 32u; block += THREADS) {
    for (var m = 0u; m < M; m++) {
      let loaded = load_inputs(m, block);
      let x_sum = block_sum(loaded.x);
      squares[m] += loaded.squares;
      for (var r = 0u; r < ROWS; r++) {
        // A row past the end repeats the last one and is not emitted.
        sums[r * M + m] += dot_weights(fetch_weights(min(first_row + r, PART_ROWS - 1u), block), loaded.x, x_sum);
      }
    }
  }
  for (var value = 0u; value < ROWS * M; value++) {
    publish(stream, lane, value, sums[value]);
  }
  for (var m = 0u; m < M; m++) {
    publish(stream, lane, ROWS * M + m, squares[m]);
  }
  workgroupBarrier();

  for (var unit = invocation.thread; unit < UNITS; unit += WORKGROUP) {
    let r = 2u * (unit % (ROWS / 2u));
    let owner = unit / (ROWS / 2u) % STREAMS;
    let m = unit / (ROWS / 2u * STREAMS);
    let row = (invocation.workgroup.x * STREAMS + owner) * ROWS + r;
    if (row < PART_ROWS) {
      let product = vec2f(total(owner, r * M + m), total(owner, (r + 1u) * M + m));
      emit(m, ROW_START + row, product * input_scale(total(owner, ROWS * M + m)));
    }
  }
  finish(invocation.workgroup.x, invocation.thread);
}
