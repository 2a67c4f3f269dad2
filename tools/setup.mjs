// Installs what is missing: Node packages, and with --browsers the browsers that the tests run in. Needs nothing but Node.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { BROWSER_KINDS, ensureBrowser, ensureVulkan } from "./driver/find_browser.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const say = (line) => console.error(`setup: ${line}`); // stderr, so that a driver's output can be piped

process.chdir(root);
installPackages();
if (process.argv.includes("--browsers")) {
  for (const kind of BROWSER_KINDS) say(`${kind} is ${ensureBrowser(kind, say)}`);
  ensureVulkan(say);
}

function installPackages() {
  // npm writes this file at the end of every install, so its age is the age of node_modules.
  const marker = "node_modules/.package-lock.json";
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync("package-lock.json").mtimeMs) return;
  say("installing Node packages with npm ci");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) process.exit(status ?? 1);
}
