// y = W x for one row of x, the matrix product of decoding where subgroups add up. A workgroup is STREAMS streams of THREADS
// lanes; a lane keeps its block of 32 inputs in registers, while its stream takes ROWS rows of W, four at a time, whose codes
// are asked for one step ahead. At each step all streams together read what lies together: memory answers that soonest.
// Parts: block, step, weight_* (scales_*), operand_*, input_*, bias_*, output_*, finish_*. Constants: K, PART_ROWS (rows of W
// bound here), ROW_START (the first of them in the whole matrix), SUBGROUP (lanes of every subgroup; a stream holds whole
// ones, and lanes are numbered in their order: the self-test at load proves both), WORKGROUP = STREAMS * THREADS, WORKGROUPS, M = 1.
const BATCH = 4u;
const STEP = WORKGROUPS * STREAMS * BATCH; // rows that all streams take at once
const HELD = 4u * BATCH; // rows whose sums wait to be added up together
const UNITS = STREAMS * ROWS / 2u; // results are emitted in pairs of rows
const WRITERS = min(WORKGROUP, UNITS); // threads that emit
const PARTS = THREADS / SUBGROUP;

struct Batch {
  a: Weights,
  b: Weights,
  c: Weights,
  d: Weights,
}

var<workgroup> products: array<f32, STREAMS * ROWS * PARTS>; // [STREAMS, ROWS, PARTS]
var<workgroup> squares: array<f32, STREAMS * PARTS>;         // [STREAMS, PARTS]

// Where the r-th row of a stream lies, by where its first does.
fn row_of(first: u32, r: u32) -> u32 {
  return first + r / BATCH * STEP + r % BATCH;
}

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

// Add up four numbers over four lanes that differ in `distance` or twice that, each lane one of them: the (lane / distance) % 4-th.
// Lanes trade halves of what they hold, so that it takes three exchanges and not eight.
fn shared_out(sums: vec4f, lane: u32, distance: u32) -> f32 {
  let is_odd = (lane & distance) != 0u;
  let halves = select(sums.xz, sums.yw, is_odd) + subgroupShuffleXor(select(sums.yw, sums.xz, is_odd), distance);
  let is_second = (lane & (2u * distance)) != 0u;
  return select(halves.x, halves.y, is_second) + subgroupShuffleXor(select(halves.y, halves.x, is_second), 2u * distance);
}

// Keep the sums of the HELD rows before `end` over each subgroup, of which lane i holds those of rows i % 4 of four batches;
// where a stream has fewer rows, they are the last of these.
fn publish(stream: u32, lane: u32, end: u32, held: vec4f) {
  let place = lane % SUBGROUP;
  if (SUBGROUP >= HELD) {
    var sum = shared_out(held, lane, BATCH);
    for (var distance = HELD; distance < SUBGROUP; distance *= 2u) {
      sum += subgroupShuffleXor(sum, distance);
    }
    if (place < HELD) {
      keep_product(stream, lane, end + place, sum);
    }
  } else {
    var sums = held;
    for (var distance = BATCH; distance < SUBGROUP; distance *= 2u) {
      sums += subgroupShuffleXor(sums, distance);
    }
    if (place < BATCH) {
      for (var batch = 0u; batch < 4u; batch++) {
        keep_product(stream, lane, end + batch * BATCH + place, sums[batch]);
      }
    }
  }
}

// Rows are counted from HELD on, since there may be fewer before `end`.
fn keep_product(stream: u32, lane: u32, row: u32, sum: f32) {
  if (row >= HELD) {
    products[(stream * ROWS + row - HELD) * PARTS + lane / SUBGROUP] = sum;
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
  let first_row = (workgroup.x * STREAMS + stream) * BATCH;
  let block = min(lane, K / 32u - 1u);
  // All that the first sums take is asked for before anything is waited for, the nearest first.
  let loaded = load_inputs(0u, block);
  var batch = fetch_batch(first_row, block);
  if (!any_row_is_active()) {
    return;
  }
  let is_used = f32(lane < K / 32u); // a lane past the end has the last block once more
  let x = operand(block_scale(loaded.x, is_used, 0.0));
  let subgroup_squares = subgroupAdd(is_used * loaded.squares); // while weights are on their way
  if (lane % SUBGROUP == 0u) {
    squares[stream * PARTS + lane / SUBGROUP] = subgroup_squares;
  }
  var held = vec4f(); // the sums of the last four batches
  for (var r = BATCH; r < ROWS; r += BATCH) {
    let next = fetch_batch(row_of(first_row, r), block);
    held = vec4f(held.yzw, shared_out(dot_batch(batch, x), lane, 1u));
    if (r % HELD == 0u) {
      publish(stream, lane, r, held);
    }
    batch = next;
  }
  held = vec4f(held.yzw, shared_out(dot_batch(batch, x), lane, 1u));
  publish(stream, lane, ROWS, held);
  workgroupBarrier();

  // By the first threads, in the order of rows, so that neighbours are written at once.
  let scale = input_scale(total_squares(0u)); // the same in every stream
  for (var unit = thread; unit < UNITS; unit += WORKGROUP) {
    let owner = unit / 2u % STREAMS;
    let r = unit / (2u * STREAMS) * BATCH + 2u * (unit % 2u);
    let row = row_of((workgroup.x * STREAMS + owner) * BATCH, r);
    if (row < PART_ROWS) {
      emit(0u, ROW_START + row, scale * vec2f(total(owner, r), total(owner, r + 1u)));
    }
  }
  finish(workgroup.x, thread);
}
