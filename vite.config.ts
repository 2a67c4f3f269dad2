import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, defineConfig } from "vite";
import type { Plugin, Rolldown, UserConfig } from "vite";

import { serveFolder } from "./tools/driver/serve_folder.mjs";

const root = fileURLToPath(new URL(".", import.meta.url));
const realAssets = `${root}../shared/assets`; // checkpoints and tokenizers that are too large, or not ours, to keep in the project

const HARNESS_PAGE = "/e2e/support/harness.html";
const HARNESS_PREFIX = "/@harness/";

export default defineConfig(({ command, mode }): UserConfig => {
  if (command === "serve") return serve(mode);
  if (mode === "library") return library();
  if (mode === "harness") return harness();
  return demo();
});

// The server's root is the project, so that specs and drivers reach any module; the demo answers at "/" as in its build.
function serve(mode: string): UserConfig {
  // Pages of specs and drivers must not be reloaded under their feet; each run starts a server of its own.
  const server = mode === "development" ? {} : { watch: null };
  return {
    root,
    appType: "mpa", // a missing file is a 404, never a page
    plugins: [...(mode === "test" ? [builtHarness()] : []), demoAtRoot(), realAssetsUnder("/@shared/")],
    define: { ...bundledModelVersion(), ...kernelsVersion() },
    server,
    optimizeDeps: { noDiscovery: true, include: [] }, // every dependency is one ES module already
  };
}

function library(): UserConfig {
  return {
    root,
    publicDir: false,
    define: kernelsVersion(),
    ...inlineWorkers(),
    build: {
      outDir: "dist",
      target: "es2022",
      lib: {
        entry: "src/index.ts",
        name: "Hearth",
        formats: ["es", "iife"],
        fileName: (format) => (format === "es" ? "hearth.js" : "hearth.global.js"),
      },
    },
  };
}

function demo(): UserConfig {
  return {
    root: `${root}demo`,
    base: "./", // it runs from any folder of any host
    publicDir: `${root}public`,
    define: { ...bundledModelVersion(), ...kernelsVersion() },
    ...inlineWorkers(),
    build: {
      outDir: `${root}dist/demo`,
      emptyOutDir: true,
      target: "es2022",
      rolldownOptions: { input: [`${root}demo/index.html`, `${root}demo/bench.html`] },
    },
  };
}

/** The page that specs run module code in, with all of that code in a few files. */
function harness(): UserConfig {
  return {
    root,
    base: HARNESS_PREFIX,
    publicDir: false,
    define: kernelsVersion(),
    ...inlineWorkers(),
    build: {
      write: false,
      target: "es2022",
      minify: false,
      reportCompressedSize: false,
      chunkSizeWarningLimit: Infinity,
      rolldownOptions: {
        input: [`${root}e2e/support/harness.html`],
        output: { codeSplitting: { groups: [{ name: "hearth", test: /\/(src|shaders|node_modules)\// }] } },
      },
    },
  };
}

/** How workers are built into the one file. */
function inlineWorkers(): Pick<UserConfig, "plugins" | "worker"> {
  return { plugins: [withoutDataWorkers()], worker: { plugins: () => [withoutDataWorkers()] } };
}

/**
 * Vite lets an inlined worker that cannot start as a blob try again as a data: URL, where it could store nothing.
 */
function withoutDataWorkers(): Plugin {
  const secondTry = /return new Worker\(\s*['"]data:.*?\);/s;
  return {
    name: "hearth:without-data-workers",
    apply: "build",
    enforce: "post",
    transform(code, id) {
      if (!id.endsWith("?worker&inline")) return undefined;
      if (!secondTry.test(code)) this.error("Vite writes inlined workers otherwise than before; see withoutDataWorkers");
      return code.replace(secondTry, "throw e;");
    },
  };
}

/** Build the harness into memory, and answer with it: fetched one by one, hundreds of modules would take most of a test's time. */
function builtHarness(): Plugin {
  return {
    name: "hearth:built-harness",
    async configureServer(server) {
      const { output } = (await build({ mode: "harness", logLevel: "error" })) as Rolldown.RolldownOutput; // one form, not watched
      const files = new Map(output.map((file) => [HARNESS_PREFIX + file.fileName, file.type === "chunk" ? file.code : file.source]));
      server.middlewares.use((request, response, next) => {
        const { pathname } = new URL(request.url ?? "/", "http://localhost"); // a worker's address may carry a message
        const isPage = pathname === HARNESS_PAGE;
        const body = files.get(isPage ? HARNESS_PREFIX + HARNESS_PAGE.slice(1) : pathname);
        if (body === undefined) return next();
        response.setHeader("content-type", isPage ? "text/html" : "text/javascript").setHeader("cache-control", "no-cache").end(body);
      });
    },
  };
}

/** Tell the demo which version of the bundled model it comes with. */
function bundledModelVersion(): Record<string, string> {
  const folder = `${root}public/models/hearth-tiny/`;
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(folder + name));
  return { BUNDLED_MODEL_VERSION: JSON.stringify(hash.digest("hex").slice(0, 12)) };
}

/** Tell the engine which kernels it comes with: what was measured of others says nothing about them. */
function kernelsVersion(): Record<string, string> {
  const hash = createHash("sha256").update(readFileSync(`${root}package.json`));
  for (const folder of ["shaders", "src/kernels", "src/quant"]) {
    const files = readdirSync(root + folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.(ts|wgsl)$/.test(name));
    for (const name of files.sort()) hash.update(name).update(readFileSync(`${root}${folder}/${name}`));
  }
  return { KERNELS_VERSION: JSON.stringify(hash.digest("hex").slice(0, 12)) };
}

/** Answer for files of demo/ as if they lay at the root, unless the project or public/ has a file of that path. */
function demoAtRoot(): Plugin {
  const isFile = (path: string) => statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  return {
    name: "hearth:demo-at-root",
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
        const path = pathname === "/" ? "/index.html" : pathname;
        const taken = isFile(`${root}public${path}`) || isFile(`${root}${path}`);
        if (!taken && isFile(`${root}demo${path}`)) request.url = `/demo${path}${search}`;
        next();
      });
    },
  };
}

/** Serve the real assets where they exist; specs that need them are skipped elsewhere. */
function realAssetsUnder(prefix: string): Plugin {
  return {
    name: "hearth:real-assets",
    configureServer(server) {
      if (existsSync(realAssets)) server.middlewares.use(serveFolder(prefix, realAssets));
    },
  };
}
