// 4-bit floats with two bits of exponent (OCP MX, E2M1).
var<private> CODEBOOK: array<f32, 16> = array<f32, 16>(
  0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 0.0, -0.5, -1.0, -1.5, -2.0, -3.0, -4.0, -6.0,
);
