/** A checkpoint of reproducible random weights, as golden files describe it. */
export interface GoldenCase {
  name: string;
  config: Record<string, unknown>;
  tensors: { name: string; shape: number[] }[];
  tokens10: number[];
  tokens70: number[];
}

/** A tensor with its values. */
export interface NamedValues {
  name: string;
  shape: readonly number[];
  values: Float32Array<ArrayBuffer>;
}

/** Build config.json and model.safetensors (F32) of a golden case, in memory; `rewrite` changes tensors once they have their values. */
export function randomCheckpoint({ config, tensors }: GoldenCase, rewrite = (all: NamedValues[]) => all): File[] {
  const entries: [string, { dtype: string; shape: readonly number[]; data_offsets: [number, number] }][] = [];
  const parts: BlobPart[] = [];
  let offset = 0;
  for (const { name, shape, values } of rewrite(tensors.map((tensor) => ({ ...tensor, values: tensorValues(tensor.name, tensor.shape) })))) {
    entries.push([name, { dtype: "F32", shape, data_offsets: [offset, offset + values.byteLength] }]);
    parts.push(values);
    offset += values.byteLength;
  }
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = new BigUint64Array([BigInt(header.byteLength)]);
  return [new File([JSON.stringify(config)], "config.json"), new File([length, header, ...parts], "model.safetensors")];
}

/** The value generator of the golden files: a hash of name and index, uniform, scaled by the fan-in of matrices. */
function tensorValues(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const seed = fnv1a(name);
  const spread = shape.length >= 2 ? Math.sqrt(3 / shape[shape.length - 1]) : 0.25;
  const isGain = shape.length < 2 && !name.endsWith("bias") && /norm|ln_|LayerNorm|layer_scalar|_ln\.|\.D$/.test(name);
  return Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, i) => {
    const uniform = finalise((seed + Math.imul(i, 0x9e3779b1)) >>> 0) / 2 ** 32;
    return (isGain ? 1 : 0) + spread * (2 * uniform - 1);
  });
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function finalise(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
