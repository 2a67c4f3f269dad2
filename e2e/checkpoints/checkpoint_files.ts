/** A tensor with its bytes, apart from any file. */
export interface Tensor {
  dtype: string;
  shape: number[];
  bytes: Uint8Array<ArrayBuffer>;
}

const LENGTH_BYTES = 8;

/** Take a safetensors file apart. */
export async function readTensors(file: File): Promise<Map<string, Tensor>> {
  const all = await file.arrayBuffer();
  const dataBegin = LENGTH_BYTES + Number(new DataView(all).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(all.slice(LENGTH_BYTES, dataBegin))) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, data_offsets: [begin, end] }] of Object.entries(header)) {
    tensors.set(name, { dtype, shape, bytes: new Uint8Array(all, dataBegin + begin, end - begin) });
  }
  return tensors;
}

/** Write a safetensors file of these tensors, in their order. */
export function tensorFile(fileName: string, tensors: ReadonlyMap<string, Tensor>): File {
  let end = 0;
  const entries = [...tensors].map(([name, { dtype, shape, bytes }]) => {
    const begin = end;
    end += bytes.byteLength;
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = new BigUint64Array([BigInt(header.byteLength)]);
  return new File([length, header, ...[...tensors.values()].map(({ bytes }) => bytes)], fileName);
}

/** The name of a shard, as checkpoints on the Hub spell it. */
export function shardName(shard: number, shards: number): string {
  const digits = (value: number) => String(value).padStart(5, "0");
  return `model-${digits(shard)}-of-${digits(shards)}.safetensors`;
}

/** Deal tensors out to shards, one to each in turn, and write the shards and their index. */
export function shardFiles(tensors: ReadonlyMap<string, Tensor>, shards: number): File[] {
  const shardOf = new Map([...tensors.keys()].map((name, i) => [name, (i % shards) + 1]));
  const names = Array.from({ length: shards }, (_, i) => i + 1);
  const index = { metadata: {}, weight_map: Object.fromEntries([...shardOf].map(([name, shard]) => [name, shardName(shard, shards)])) };
  return [
    new File([JSON.stringify(index)], "model.safetensors.index.json"),
    ...names.map((shard) => tensorFile(shardName(shard, shards), new Map([...tensors].filter(([name]) => shardOf.get(name) === shard)))),
  ];
}
