// Makes dist/peers: the page, Hearth's library, and the peers' scripts and wasm, so that it runs without a network.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../../", import.meta.url));

const FROM_PACKAGES = [
  "onnxruntime-web/dist/ort.webgpu.bundle.min.mjs",
  "onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.mjs",
  "onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm",
  "@huggingface/transformers/dist/transformers.min.js",
  "@wllama/wllama/esm/wasm/wllama.wasm",
];

/** The folder that `buildPeers` makes. */
export const BUILT = `${root}dist/peers`;

/** Install the peers where they are missing, build Hearth's library, and put everything into one folder. */
export function buildPeers(say) {
  installPeers(say);
  say("building Hearth's library");
  command(process.execPath, ["node_modules/vite/bin/vite.js", "build", "--mode", "library", "--logLevel", "error"], root);
  rmSync(BUILT, { recursive: true, force: true });
  cpSync(`${here}page`, BUILT, { recursive: true });
  mkdirSync(`${BUILT}/lib`);
  for (const path of FROM_PACKAGES) cpSync(`${here}node_modules/${path}`, `${BUILT}/lib/${path.split("/").at(-1)}`);
  cpSync(`${here}node_modules/@wllama/wllama/esm/index.js`, `${BUILT}/lib/wllama.js`);
  cpSync(`${root}dist/hearth.js`, `${BUILT}/lib/hearth.js`);
  cpSync(`${root}public/models`, `${BUILT}/models`, { recursive: true });
  const version = (path) => JSON.parse(readFileSync(path, "utf8")).version;
  const commit = spawnSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, encoding: "utf8" }).stdout?.trim();
  const hearthVersion = [version(`${root}package.json`), commit].filter(Boolean).join(", commit ");
  const wllamaVersion = version(`${here}node_modules/@wllama/wllama/package.json`);
  writeFileSync(`${BUILT}/versions.json`, JSON.stringify({ hearthVersion, wllamaVersion }));
}

function installPeers(say) {
  // npm writes this file at the end of every install, so its age is the age of node_modules.
  const marker = `${here}node_modules/.package-lock.json`;
  if (existsSync(marker) && statSync(marker).mtimeMs >= statSync(`${here}package-lock.json`).mtimeMs) return;
  say("installing the peers into bench/peers/node_modules");
  // Their install scripts fetch builds for Node, of which a browser has no use.
  command("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], here);
}

function command(name, parameters, cwd) {
  const { status, error } = spawnSync(name, parameters, { cwd, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`${name} ${parameters.join(" ")}: expected it to succeed, found ${error?.message ?? `status ${status}`}`);
}
