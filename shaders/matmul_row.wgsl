// y = W x for one row of x, the matrix product of decoding where subgroups add up. A workgroup is STREAMS streams of THREADS
// lanes; a lane keeps its block of 32 inputs in registers, while its stream walks ROWS rows of W, four at a time, whose
// codes are asked for one step ahead. Parts: block, step, weight_* (scales_*), operand_*, input_*, bias_*, output_*, finish_*.
// Constants: K, PART_ROWS (rows of W bound here), ROW_START (the first of them in the whole matrix), SUBGROUP (lanes of
// every subgroup; a stream holds whole ones, and lanes are numbered in their order: the self-test at load proves both),
// WORKGROUP = STREAMS * THREADS, M = 1.
const BATCH = 4u;
const UNITS = ROWS / 2u; // results are emitted in pairs of rows
const PARTS = THREADS / SUBGROUP;

struct Batch {
  a: Weights,
  b: Weights,
  c: Weights,
  d: Weights,
}

var<workgroup> products: array<f32, STREAMS * ROWS * PARTS>; // [STREAMS, ROWS, PARTS]
var<workgroup> squares: array<f32, STREAMS * PARTS>;         // [STREAMS, PARTS]

// A row past the end repeats the last one and is not emitted.
fn fetch_batch(row: u32, block: u32) -> Batch {
  const LAST = PART_ROWS - 1u;
  return Batch(
    fetch_weights(min(row, LAST), block), fetch_weights(min(row + 1u, LAST), block),
    fetch_weights(min(row + 2u, LAST), block), fetch_weights(min(row + 3u, LAST), block),
  );
}

fn dot_batch(batch: Batch, x: Operand) -> vec4f {
  return vec4f(dot_operand(batch.a, x), dot_operand(batch.b, x), dot_operand(batch.c, x), dot_operand(batch.d, x));
}

// Keep four rows' sums over each subgroup. Neighbours first trade halves of what they hold, so that four sums take six
// exchanges; lane i then holds row i % 4.
fn publish(stream: u32, lane: u32, row: u32, sums: vec4f) {
  let is_odd = (lane & 1u) != 0u;
  let halves = select(sums.xz, sums.yw, is_odd) + subgroupShuffleXor(select(sums.yw, sums.xz, is_odd), 1u);
  let is_second = (lane & 2u) != 0u;
  var sum = select(halves.x, halves.y, is_second) + subgroupShuffleXor(select(halves.y, halves.x, is_second), 2u);
  for (var distance = 4u; distance < SUBGROUP; distance *= 2u) {
    sum += subgroupShuffleXor(sum, distance);
  }
  if (lane % SUBGROUP < BATCH) {
    products[(stream * ROWS + row + lane % SUBGROUP) * PARTS + lane / SUBGROUP] = sum;
  }
}

fn total(stream: u32, row: u32) -> f32 {
  var sum = 0.0;
  for (var part = 0u; part < PARTS; part++) {
    sum += products[(stream * ROWS + row) * PARTS + part];
  }
  return sum;
}

fn total_squares(stream: u32) -> f32 {
  var sum = 0.0;
  for (var part = 0u; part < PARTS; part++) {
    sum += squares[stream * PARTS + part];
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let stream = thread / THREADS;
  let lane = thread % THREADS;
  let first_row = (workgroup.x * STREAMS + stream) * ROWS;
  let block = min(lane, K / 32u - 1u);
  // All that the first sums take is asked for before anything is waited for, the nearest first.
  let loaded = load_inputs(0u, block);
  var batch = fetch_batch(first_row, block);
  if (!any_row_is_active()) {
    return;
  }
  let is_used = f32(lane < K / 32u); // a lane past the end has the last block once more
  let x = operand(block_scale(loaded.x, is_used, 0.0));
  for (var row = 0u; row < ROWS - BATCH; row += BATCH) {
    let next = fetch_batch(first_row + row + BATCH, block);
    publish(stream, lane, row, dot_batch(batch, x));
    batch = next;
  }
  publish(stream, lane, ROWS - BATCH, dot_batch(batch, x));
  let subgroup_squares = subgroupAdd(is_used * loaded.squares);
  if (lane % SUBGROUP == 0u) {
    squares[stream * PARTS + lane / SUBGROUP] = subgroup_squares;
  }
  workgroupBarrier();

  let scale = input_scale(total_squares(stream));
  for (var unit = lane; unit < UNITS; unit += THREADS) {
    let r = 2u * unit;
    if (first_row + r < PART_ROWS) {
      emit(0u, ROW_START + first_row + r, scale * vec2f(total(stream, r), total(stream, r + 1u)));
    }
  }
  finish(workgroup.x, thread);
}
