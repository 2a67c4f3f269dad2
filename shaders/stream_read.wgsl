// Read a whole buffer once, as fast as it will come. Constants: QUADS, WORKGROUPS.
@group(0) @binding(0) var<storage, read> source: array<vec4u>;       // [QUADS]
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;     // [WORKGROUPS * 256]: keeps the reads from being optimised away

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u) {
  var sum = vec4u();
  for (var i = id.x; i < QUADS; i += WORKGROUPS * 256u) {
    sum ^= source[i];
  }
  sums[id.x] += sum.x ^ sum.y ^ sum.z ^ sum.w;
}
