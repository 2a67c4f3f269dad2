import { readFileSync, readdirSync } from "node:fs";
import { dirname, posix } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** One import or re-export of a source file. */
export interface Import {
  /** The file it is in, from the project's root. */
  from: string;
  /** A project file from the root, or a package name; a Vite query is cut off. */
  to: string;
  isPackage: boolean;
}

/** Paths, from the project's root, of the files of a folder that end in one of these ways. */
export function listFiles(folder: string, endings: readonly string[]): string[] {
  const names = readdirSync(root + folder, { recursive: true, encoding: "utf8" });
  return names
    .map((name) => posix.join(folder, name.replaceAll("\\", "/")))
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .sort();
}

/** Read a file by its path from the project's root. */
export function readSource(path: string): string {
  return readFileSync(root + path, "utf8");
}

/** The imports and re-exports of a file, static and dynamic. */
export function importsOf(path: string): Import[] {
  const statements = /(?:^|\n)\s*(?:import|export)\b[^;"']*?from\s*["']([^"']+)["']|(?:^|\n)\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/g;
  return [...readSource(path).matchAll(statements)].map(([, from, bare, dynamic]) => {
    const specifier = (from ?? bare ?? dynamic).split("?")[0];
    const isPackage = !specifier.startsWith(".");
    return { from: path, to: isPackage ? specifier : posix.join(dirname(path), specifier), isPackage };
  });
}
