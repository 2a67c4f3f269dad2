// Add results to the residual stream in place, and leave behind it what input_prepared.wgsl reads: the stream times the
// gains of the norm that follows, and the sum of squares of each workgroup's elements. Constants: OUTPUT_STRIDE, OUTPUT_ROWS,
// RESIDUAL_SCALE, STAT_START, WRITERS (the first threads, which emit), M = 1.
@group(0) @binding(2) var<storage, read_write> outputs: array<f32>;  // [3, OUTPUT_STRIDE]: the stream, the stream times the gains, both striped, then sums of squares
@group(0) @binding(4) var<storage, read> next_gains: array<f32>;     // [OUTPUT_STRIDE], striped

var<private> own_squares: f32;
var<workgroup> writer_squares: array<f32, WRITERS>;

fn add(place: u32, result: f32) {
  let element = outputs[place] + result;
  outputs[place] = element;
  outputs[OUTPUT_STRIDE + place] = element * next_gains[place];
  own_squares += element * element;
}

// Take the results of `row` and `row + 1`, where row is even and the second may lie past the end.
fn emit(m: u32, row: u32, value: vec2f) {
  let result = RESIDUAL_SCALE * (value + bias_pair(row));
  let place = striped_element(row, OUTPUT_STRIDE);
  add(place, result.x);
  if (row + 1u < OUTPUT_ROWS) {
    add(place + 1u, result.y);
  }
}

fn finish(workgroup: u32, thread: u32) {
  if (thread < WRITERS) {
    writer_squares[thread] = own_squares;
  }
  workgroupBarrier();
  if (thread == 0u) {
    var squares = 0.0;
    for (var i = 0u; i < WRITERS; i++) {
      squares += writer_squares[i];
    }
    outputs[2u * OUTPUT_STRIDE + STAT_START + workgroup] = squares;
  }
}
