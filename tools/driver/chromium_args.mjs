// What it takes for Chromium to use a GPU on a Linux machine without a display. Where Vulkan is only Mesa's software
// driver, the same flags leave requestAdapter pending for ever: so browser.mjs tries them, with a time limit.
const LINUX_GPU_ARGS = ["--enable-features=Vulkan", "--use-angle=vulkan", "--disable-vulkan-surface", "--ignore-gpu-blocklist"];
const PLAIN_ARGS = ["--enable-unsafe-webgpu"]; // a GPU if Chromium finds one by itself, else the CPU
// SwiftShader compiles a store for every word of workgroup memory that is zeroed, which takes seconds; no kernel relies on zeros.
const SOFTWARE_ARGS = [...PLAIN_ARGS, "--use-webgpu-adapter=swiftshader", "--enable-dawn-features=disable_workgroup_init"];

/** Chromium's flags for WebGPU, by the adapter that is wanted. */
export const CHROMIUM_ARGS = { gpu: [...PLAIN_ARGS, ...LINUX_GPU_ARGS], any: PLAIN_ARGS, software: SOFTWARE_ARGS };
