import { HearthError } from "../errors.ts";

// The ustar format (POSIX.1-1988), and GNU's form of sizes from 8 GiB on.

/** Everything in a tar begins at a multiple of this. */
export const TAR_BLOCK = 512;

const NAME_BYTES = 100;
const SIZE = { begin: 124, end: 136 };
const CHECKSUM = { begin: 148, end: 156 };
const LARGEST_OCTAL = 8 ** 11;

/** The header of a regular file. */
export function tarHeader(name: string, byteLength: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(TAR_BLOCK);
  const put = (text: string, position: number) => header.set(new TextEncoder().encode(text), position);
  if (new TextEncoder().encode(name).byteLength > NAME_BYTES) throw new HearthError("storage", `${name}: expected a name of at most ${NAME_BYTES} bytes, as a tar holds`);
  put(name, 0);
  put("0000644\0" + "0000000\0" + "0000000\0", 100); // mode, owner, group
  if (byteLength < LARGEST_OCTAL) put(byteLength.toString(8).padStart(11, "0"), SIZE.begin);
  else new DataView(header.buffer).setBigUint64(SIZE.begin + 4, BigInt(byteLength));
  if (byteLength >= LARGEST_OCTAL) header[SIZE.begin] = 0x80;
  put("00000000000\0", 136); // the time, left out so that equal models give equal files
  put("0ustar\0" + "00", 156);
  put(`${checksum(header).toString(8).padStart(6, "0")}\0 `, CHECKSUM.begin);
  return header;
}

/** Read a header, or undefined where there is none. */
export function readTarHeader(header: Uint8Array): { name: string; byteLength: number } | undefined {
  const text = (begin: number, end: number) => new TextDecoder().decode(header.subarray(begin, end)).replace(/\0.*$/s, "");
  if (parseInt(text(CHECKSUM.begin, CHECKSUM.end), 8) !== checksum(header)) return undefined;
  const isLarge = header[SIZE.begin] === 0x80;
  const view = new DataView(header.buffer, header.byteOffset);
  const byteLength = isLarge ? Number(view.getBigUint64(SIZE.begin + 4)) : parseInt(text(SIZE.begin, SIZE.end), 8);
  return { name: text(0, NAME_BYTES), byteLength };
}

/** Zeros between a file's end and the next block. */
export function tarPadding(byteLength: number): number {
  return (TAR_BLOCK - (byteLength % TAR_BLOCK)) % TAR_BLOCK;
}

/** The sum of all bytes, those of the checksum itself counted as spaces. */
function checksum(header: Uint8Array): number {
  return header.reduce((sum, byte, i) => sum + (i >= CHECKSUM.begin && i < CHECKSUM.end ? 0x20 : byte), 0);
}
