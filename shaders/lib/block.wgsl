// Thirty-two consecutive inputs or weights, the unit that every weight format is read in.
alias Block = array<vec4f, 8>;

fn block_sum(x: ptr<function, Block>) -> f32 {
  var sum = vec4f();
  for (var i = 0u; i < 8u; i++) {
    sum += (*x)[i];
  }
  return sum.x + sum.y + sum.z + sum.w;
}

fn block_dot(a: ptr<function, Block>, b: ptr<function, Block>) -> f32 {
  var sum = vec4f();
  for (var i = 0u; i < 8u; i++) {
    sum += (*a)[i] * (*b)[i];
  }
  return sum.x + sum.y + sum.z + sum.w;
}
