// Read a part of a buffer once, as fast as it will come: eight loads in flight a thread, and workgroups in the order in which they
// start, so that what is read at the same time lies close together. Constants: QUADS.
@group(0) @binding(0) var<storage, read> source: array<vec4u>;       // [QUADS]
@group(0) @binding(1) var<storage, read_write> marks: array<u32>;    // [1]: may be written, which keeps the reads from being optimised away

const THREADS = 256u;

fn read_quad(place: u32) -> vec4u {
  return source[min(place, QUADS - 1u)];
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let first = workgroup.x * 8u * THREADS + thread;
  let a = read_quad(first) ^ read_quad(first + THREADS);
  let b = read_quad(first + 2u * THREADS) ^ read_quad(first + 3u * THREADS);
  let c = read_quad(first + 4u * THREADS) ^ read_quad(first + 5u * THREADS);
  let d = read_quad(first + 6u * THREADS) ^ read_quad(first + 7u * THREADS);
  if (all((a ^ b ^ c ^ d) == vec4u(0xffffffffu))) {
    marks[0] = 1u;
  }
}
