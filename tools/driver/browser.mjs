import { readdirSync } from "node:fs";

import { CHROMIUM_ARGS } from "./chromium_args.mjs";
import { ensureBrowser, extraBrowserArgs, findBrowser } from "./find_browser.mjs";
import { chromium, firefox } from "./playwright.mjs";

const PROBE_MS = 5000; // the flags for a GPU leave requestAdapter pending where Vulkan is only in software
const FIREFOX_PREFS = {
  "dom.webgpu.enabled": true,
  "dom.webgpu.workers.enabled": true,
  "gfx.webgpu.ignore-blocklist": true, // software Vulkan is on it
};

/** Playwright's launch options for a browser of this kind with WebGPU; the adapter is Chromium's: "gpu", "any" or "software". */
export function launchOptions(kind, adapter = "any") {
  const executablePath = findBrowser(kind);
  const extraArgs = extraBrowserArgs(kind);
  if (kind === "firefox") {
    // Playwright's own channel name for an unpatched Firefox, which it drives by WebDriver BiDi.
    return { channel: "moz-firefox", executablePath, args: extraArgs, firefoxUserPrefs: FIREFOX_PREFS };
  }
  // Playwright's own flags offer SwiftShader, which must not pass for a GPU.
  const ignoreDefaultArgs = adapter === "gpu" ? ["--enable-unsafe-swiftshader"] : [];
  return { executablePath, args: [...CHROMIUM_ARGS[adapter], ...extraArgs], ignoreDefaultArgs };
}

/** Launch a browser that has a WebGPU adapter, the machine's GPU if there is one. `probeUrl` is any page on localhost. */
export async function launchBrowser(kind, probeUrl, say) {
  ensureBrowser(kind, say);
  if (kind === "firefox") return firefox.launch(launchOptions(kind));
  if (process.platform === "linux" && readdirSync("/dev").some((name) => name === "dri" || /^nvidia\d+$/.test(name))) {
    const browser = await chromium.launch(launchOptions(kind, "gpu"));
    if (await answersWithGpu(browser, probeUrl)) return browser;
    await browser.close();
  }
  return chromium.launch(launchOptions(kind, "any"));
}

async function answersWithGpu(browser, probeUrl) {
  const page = await browser.newPage();
  await page.goto(probeUrl);
  const answer = page.evaluate(async () => {
    // The first request in a fresh browser may get null while the GPU process is being replaced.
    for (let attempt = 0; attempt < 6; attempt++) {
      const adapter = await navigator.gpu?.requestAdapter();
      if (adapter) return !adapter.info.isFallbackAdapter;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    return false;
  });
  answer.catch(() => {}); // closing the browser under a pending probe rejects it
  const timeout = new Promise((resolve) => setTimeout(resolve, PROBE_MS, false));
  const found = await Promise.race([answer, timeout]);
  if (found) await page.close();
  return found;
}
