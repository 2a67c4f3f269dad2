// What it takes for Chromium to use a GPU on a Linux machine without a display. Where Vulkan is only Mesa's software
// driver, the same flags leave requestAdapter pending for ever: so browser.mjs tries them, with a time limit.
const LINUX_GPU_ARGS = ["--enable-features=Vulkan", "--use-angle=vulkan", "--disable-vulkan-surface", "--ignore-gpu-blocklist"];
const PLAIN_ARGS = ["--enable-unsafe-webgpu"]; // a GPU if Chromium finds one by itself, else the CPU
const SOFTWARE_ARGS = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** Chromium's flags for WebGPU, by the adapter that is wanted. */
export const CHROMIUM_ARGS = { gpu: [...PLAIN_ARGS, ...LINUX_GPU_ARGS], any: PLAIN_ARGS, software: SOFTWARE_ARGS };
