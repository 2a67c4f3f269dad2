/** Y = X W^T + bias, `[M, rows]`, of X `[M, inputStride]` and W `[rows, columns]`. */
export function product(weights: Float64Array, inputs: ArrayLike<number>, shape: { rows: number; columns: number; M: number; inputStride: number }, bias?: ArrayLike<number>): Float64Array {
  const { rows, columns, M, inputStride } = shape;
  const outputs = new Float64Array(M * rows);
  for (let m = 0; m < M; m++) {
    for (let row = 0; row < rows; row++) {
      let sum = bias ? bias[row] : 0;
      for (let column = 0; column < columns; column++) sum += weights[row * columns + column] * inputs[m * inputStride + column];
      outputs[m * rows + row] = sum;
    }
  }
  return outputs;
}

/** Each row of `[M, stride]`, divided by the root mean square of its first `width` values, times the gains. */
export function rmsNormalised(inputs: ArrayLike<number>, gains: ArrayLike<number>, shape: { M: number; width: number; stride: number; epsilon: number }): Float64Array {
  const { M, width, stride, epsilon } = shape;
  const outputs = new Float64Array(M * stride);
  for (let m = 0; m < M; m++) {
    let squares = 0;
    for (let i = 0; i < width; i++) squares += inputs[m * stride + i] ** 2;
    const scale = 1 / Math.sqrt(squares / width + epsilon);
    for (let i = 0; i < width; i++) outputs[m * stride + i] = inputs[m * stride + i] * scale * gains[i];
  }
  return outputs;
}

/** silu(gate) * up of neighbouring pairs. */
export function swiglu(pairs: Float64Array): Float64Array {
  return Float64Array.from({ length: pairs.length / 2 }, (_, i) => {
    const [gate, up] = [pairs[2 * i], pairs[2 * i + 1]];
    return (gate / (1 + Math.exp(-gate))) * up;
  });
}
