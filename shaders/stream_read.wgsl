// Read a part of a buffer once, as fast as it will come: four loads in flight a thread. Constants: QUADS, WORKGROUPS.
@group(0) @binding(0) var<storage, read> source: array<vec4u>;       // [QUADS]
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;     // [WORKGROUPS * 256]: keeps the reads from being optimised away

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u) {
  var sum = vec4u();
  const THREADS = WORKGROUPS * 256u;
  for (var i = id.x; i + 3u * THREADS < QUADS; i += 4u * THREADS) {
    sum ^= (source[i] ^ source[i + THREADS]) ^ (source[i + 2u * THREADS] ^ source[i + 3u * THREADS]);
  }
  sums[id.x] += sum.x ^ sum.y ^ sum.z ^ sum.w;
}
