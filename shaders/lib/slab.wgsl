// Which rows of an uploaded slab go where: matrices that are computed together lie interleaved or one after another.
struct Slab {
  source_row: u32,    // first row to take from the slab
  target_row: u32,    // where it goes
  target_stride: u32, // rows of the target between neighbours of the source
  first_block: u32,   // first 32 columns that the slab holds; 0 where it holds whole rows
  blocks: u32,        // how many times 32 columns it holds
  plane: u32,         // which of the parts of a matrix that share bytes
}
@group(0) @binding(8) var<uniform> slab: Slab;                       // one

fn target_row(row: u32) -> u32 {
  return slab.target_row + row * slab.target_stride;
}
