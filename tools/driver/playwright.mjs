// Playwright as installed here or, on a machine without the project's packages, from the folder that HEARTH_PLAYWRIGHT names.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const { HEARTH_PLAYWRIGHT } = process.env;

/** The browsers that Playwright drives. */
export const { chromium, firefox } = createRequire(import.meta.url)(HEARTH_PLAYWRIGHT ? resolve(HEARTH_PLAYWRIGHT) : "playwright-core");
