import type { LaunchOptions } from "@playwright/test";

/** Playwright's launch options for a browser of this kind with WebGPU; the adapter is Chromium's: "gpu", "any" or "software". */
export function launchOptions(kind: "chromium" | "firefox", adapter?: "gpu" | "any" | "software"): LaunchOptions;
