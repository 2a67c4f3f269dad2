// Runs in a page: the plain read that bandwidth is measured by.

import { readBuffer } from "../../src/gpu/readback.ts";
import { streamReads } from "../../src/kernels/stream_read.ts";
import { bufferOf, submit, withGpu } from "./kernel_runs.ts";

const QUAD = 4; // words

/** Read buffers of zeros in which one quad, or none, is all ones; tell which of the reads found it. */
export function marksOf({ quads, places }: { quads: number; places: (number | undefined)[] }): Promise<boolean[]> {
  return withGpu({}, async (gpu) => {
    const marks: boolean[] = [];
    for (const place of places) {
      const words = new Uint32Array(quads * QUAD);
      if (place !== undefined) words.fill(0xffff_ffff, place * QUAD, (place + 1) * QUAD);
      const source = await bufferOf(gpu, "source", words);
      const mark = await bufferOf(gpu, "mark", new Uint32Array(1));
      submit(gpu, await streamReads(gpu, source, source.size, mark));
      marks.push(new Uint32Array(await readBuffer(gpu.device, mark, 4))[0] === 1);
    }
    return marks;
  });
}
