// A scale and a bias in f32.
fn store_pair(place: u32, scale: f32, bias: f32) {
  pairs[place] = bitcast<u32>(scale);
  pairs[place + 1u] = bitcast<u32>(bias);
}
