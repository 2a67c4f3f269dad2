/**
 * Where an element of a row lies on the GPU. Activations, and the gains they meet, lie in striped rows: the first quad
 * of every block of 32 columns, then the second of every block, and so on, so that neighbouring threads, one block each,
 * read neighbouring addresses. The twin is `striped` in shaders/lib/block.wgsl.
 */
export function stripedIndex(element: number, paddedWidth: number): number {
  const quad = Math.floor(element / 4);
  return 4 * ((quad % 8) * (paddedWidth / 32) + Math.floor(quad / 8)) + (element % 4);
}
