fn bias_pair(row: u32) -> vec2f {
  return vec2f();
}
