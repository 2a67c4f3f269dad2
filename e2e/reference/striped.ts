/** Lay rows of `width` values, a multiple of 32, out as activations lie on the GPU: the first quad of every block of 32, then the second, and so on. */
export function striped(rows: Float32Array<ArrayBuffer>, width: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(rows.length);
  rows.forEach((value, i) => (result[i - (i % width) + place(i % width, width)] = value));
  return result;
}

/** Undo `striped`. */
export function unstriped(rows: Float32Array<ArrayBuffer>, width: number): Float32Array<ArrayBuffer> {
  return rows.map((_, i) => rows[i - (i % width) + place(i % width, width)]);
}

function place(column: number, width: number): number {
  const block = Math.floor(column / 32);
  const quad = Math.floor((column % 32) / 4);
  return (quad * (width / 32) + block) * 4 + (column % 4);
}
