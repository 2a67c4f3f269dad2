// The group of each column, listed: GPTQ with act-order quantises columns in an order of its own.
@group(0) @binding(7) var<storage, read> groups: array<u32>;         // [COLUMNS]

fn group_of(column: u32) -> u32 {
  return groups[column];
}
