const IOS_BYTES = 1.5e9; // iOS ends a page's process about here, without an event (WebKit/WebKit#49472, mlc-ai/web-llm#753)
const ANDROID_SHARE = 0.5; // of the whole memory, before the system ends background and then foreground processes

/**
 * Bytes that a page may use on devices that end pages for their memory, or undefined where there is no such number:
 * browsers tell neither a GPU's memory nor how much of it is free, and iOS does not tell its limit either, so that
 * its name is all there is to go by.
 */
export function memoryBudget(source: Pick<Navigator, "userAgent"> & { deviceMemory?: number } = navigator): number | undefined {
  if (/iPhone|iPad|iPod/.test(source.userAgent)) return IOS_BYTES;
  if (/Android/.test(source.userAgent) && source.deviceMemory !== undefined) return ANDROID_SHARE * source.deviceMemory * 2 ** 30;
  return undefined;
}
