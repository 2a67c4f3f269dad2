// The 4-bit floats of bitsandbytes: a sign, then eight values scaled to at most one.
var<private> CODEBOOK: array<f32, 16> = array<f32, 16>(
  0.0, 0.0052083335, 0.6666667, 1.0, 0.33333334, 0.5, 0.16666667, 0.25,
  0.0, -0.0052083335, -0.6666667, -1.0, -0.33333334, -0.5, -0.16666667, -0.25,
);
