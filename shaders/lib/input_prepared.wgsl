// RMS-normalised inputs, as input_rms.wgsl has them, of which the product that completed the row left the row times the
// gains, and the squares that each of its workgroups summed. Parts: scale_rms. Constants: K, SQUARES (sums), M = 1.
@group(0) @binding(0) var<storage, read> inputs: array<vec4f>;       // [3, K / 4]: the row, the row times the gains, both striped, then SQUARES floats

fn load_inputs(m: u32, block: u32) -> Inputs {
  const BLOCKS = K / 32u;
  const ROW = K / 4u;
  let first = ROW + block;
  let x = Block(
    inputs[first], inputs[first + BLOCKS], inputs[first + 2u * BLOCKS], inputs[first + 3u * BLOCKS],
    inputs[first + 4u * BLOCKS], inputs[first + 5u * BLOCKS], inputs[first + 6u * BLOCKS], inputs[first + 7u * BLOCKS],
  );
  var squares = vec4f();
  for (var quad = block; 4u * quad < SQUARES; quad += BLOCKS) {
    let is_sum = 4u * quad + vec4u(0u, 1u, 2u, 3u) < vec4u(SQUARES);
    squares += select(vec4f(), inputs[2u * ROW + quad], is_sum);
  }
  return Inputs(x, quad_sum(squares));
}
