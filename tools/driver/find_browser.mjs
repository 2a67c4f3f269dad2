// Finds, and where asked installs, the browsers that tests and drivers run in. Needs nothing but Node.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, join } from "node:path";

const COMMANDS = {
  chromium: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
  firefox: ["firefox-esr", "firefox"],
};
const MAC_APPS = {
  chromium: ["Google Chrome.app/Contents/MacOS/Google Chrome", "Chromium.app/Contents/MacOS/Chromium"],
  firefox: ["Firefox.app/Contents/MacOS/firefox"],
};
const DEBIAN_PACKAGES = { chromium: ["chromium"], firefox: ["firefox-esr"] };

/** The kinds of browser Hearth is tested in. */
export const BROWSER_KINDS = Object.keys(COMMANDS);

/** Path of a browser of this kind, or undefined. BROWSER_PATH is obeyed for the kind that its file name speaks of. */
export function findBrowser(kind, environment = process.env) {
  if (environment.BROWSER_PATH && kindOf(environment.BROWSER_PATH) === kind) return environment.BROWSER_PATH;
  return candidates(kind, environment).find((path) => existsSync(path));
}

/** Flags from BROWSER_ARGS that are meant for this kind of browser. */
export function extraBrowserArgs(kind, environment = process.env) {
  if (environment.BROWSER_PATH && kindOf(environment.BROWSER_PATH) !== kind) return [];
  return (environment.BROWSER_ARGS ?? "").split(" ").filter(Boolean);
}

/** Find a browser of this kind, installing one if there is none. Returns its path. */
export function ensureBrowser(kind, say) {
  const found = findBrowser(kind);
  if (found) return found;
  const ways = [installDebianPackages.bind(undefined, DEBIAN_PACKAGES[kind]), installPlaywrightBuild.bind(undefined, kind)];
  for (const install of ways) {
    const installed = install(say) && findBrowser(kind);
    if (installed) return installed;
  }
  throw new Error(`No ${kind} was found or could be installed. Install it by hand, or set BROWSER_PATH to its binary.`);
}

/** Install a software Vulkan driver, which Firefox's WebGPU needs on a Linux machine without a GPU. */
export function ensureVulkan(say) {
  if (process.platform !== "linux") return;
  const folders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"].filter((folder) => existsSync(folder));
  if (folders.some((folder) => readdirSync(folder).length > 0)) return;
  if (!installDebianPackages(["mesa-vulkan-drivers"], say)) say("no Vulkan driver: Firefox may find no WebGPU adapter");
}

function kindOf(path) {
  return /firefox/i.test(basename(path)) ? "firefox" : "chromium";
}

function candidates(kind, environment) {
  const folders = [...(environment.PATH ?? "").split(delimiter), "/usr/bin", "/usr/local/bin", "/snap/bin"].filter(Boolean);
  const commands = COMMANDS[kind].flatMap((command) => folders.map((folder) => join(folder, command)));
  const apps = MAC_APPS[kind].flatMap((app) => [join("/Applications", app), join(homedir(), "Applications", app)]);
  return [...commands, ...apps, ...playwrightBuilds(kind)];
}

/** Browsers that `playwright install` put into its cache, newest first. */
function playwrightBuilds(kind) {
  const cache =
    process.env.PLAYWRIGHT_BROWSERS_PATH ??
    join(homedir(), process.platform === "darwin" ? "Library/Caches/ms-playwright" : ".cache/ms-playwright");
  if (!existsSync(cache)) return [];
  const binaries = {
    chromium: ["chrome-linux/chrome", "chrome-linux64/chrome", "chrome-mac/Chromium.app/Contents/MacOS/Chromium"],
    firefox: ["firefox/firefox", "firefox/Nightly.app/Contents/MacOS/firefox"],
  };
  const builds = readdirSync(cache).filter((name) => name.startsWith(`${kind}-`));
  return builds.sort().reverse().flatMap((build) => binaries[kind].map((binary) => join(cache, build, binary)));
}

// Debian's packages come with every library they link, which a bare machine lacks; so they are tried first.
function installDebianPackages(packages, say) {
  if (!existsSync("/usr/bin/apt-get")) return false;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && spawnSync("sudo", ["-n", "true"]).status !== 0) return false;
  say(`installing ${packages.join(", ")} with apt-get`);
  const aptGet = (...args) => {
    const command = [...(isRoot ? [] : ["sudo", "-n"]), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", ...args];
    return spawnSync(command[0], command.slice(1), { stdio: ["ignore", "ignore", "inherit"] }).status === 0;
  };
  aptGet("update"); // a failure here matters only if the install fails too
  return aptGet("install", "-y", "--no-install-recommends", ...packages);
}

function installPlaywrightBuild(kind, say) {
  say(`installing ${kind} with Playwright`);
  const { status } = spawnSync("npx", ["playwright", "install", kind], { stdio: ["ignore", "ignore", "inherit"] });
  return status === 0;
}
