// One scale and one bias for every GROUP columns, kept in the checkpoint's own precision. Constants: K, GROUP.
@group(0) @binding(9) var<storage, read> pairs: array<u32>;          // [N, K / GROUP]: scale in the low half, bias in the high half
alias Pair = u32;

fn load_pair(row: u32, block: u32) -> Pair {
  return pairs[row * (K / GROUP) + block / (GROUP / 32u)];
}

fn scale_and_bias(pair: Pair) -> vec2f {
  return unpack2x16float(pair);
}
