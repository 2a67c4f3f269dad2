// Thirty-two consecutive inputs or weights, the unit that every weight format is read in. Blocks are passed by value and
// indexed by constants, so that they stay in registers.
alias Block = array<vec4f, 8>;

fn quad_sum(a: vec4f) -> f32 {
  return a.x + a.y + a.z + a.w;
}

fn block_sum(x: Block) -> f32 {
  return quad_sum(((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7])));
}

fn block_dot(a: Block, b: Block) -> f32 {
  var sum = a[0] * b[0];
  sum += a[1] * b[1];
  sum += a[2] * b[2];
  sum += a[3] * b[3];
  sum += a[4] * b[4];
  sum += a[5] * b[5];
  sum += a[6] * b[6];
  sum += a[7] * b[7];
  return quad_sum(sum);
}

fn block_scale(a: Block, scale: f32, offset: f32) -> Block {
  return Block(
    scale * a[0] + offset, scale * a[1] + offset, scale * a[2] + offset, scale * a[3] + offset,
    scale * a[4] + offset, scale * a[5] + offset, scale * a[6] + offset, scale * a[7] + offset,
  );
}

// Thirty-two inputs as a product takes them, and what their row's scale depends on.
struct Inputs {
  x: Block,
  squares: f32,
}

// Activations lie in striped rows: the first quad of every block, then the second of every block, and so on to the
// eighth, so that neighbouring lanes, one block each, read neighbouring addresses. The twin is kernels/striped.ts.
fn striped(quad: u32, blocks: u32) -> u32 {
  return (quad % 8u) * blocks + quad / 8u;
}

// The same for one element of a row of `width` floats.
fn striped_element(element: u32, width: u32) -> u32 {
  return 4u * striped(element / 4u, width / 32u) + element % 4u;
}
