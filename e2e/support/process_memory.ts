import { existsSync, readdirSync, readFileSync } from "node:fs";

/** A process of this test's browser. */
export interface BrowserProcess {
  id: number;
  /** Resident in memory. */
  bytes: number;
}

/** Resident bytes of the largest of this process's browser renderers; undefined where none is to be found. */
export function largestRendererBytes(): number | undefined {
  return largestRenderer()?.bytes;
}

/** The largest of this process's browser renderers: the one that holds a model. */
export function largestRenderer(): BrowserProcess | undefined {
  return largestOf(/--type=renderer|tab$/);
}

/** Chromium's GPU process, in which SwiftShader runs and keeps its buffers. */
export function gpuProcess(): BrowserProcess | undefined {
  return largestOf(/--type=gpu-process/);
}

/** Resident bytes of all processes of this process's browsers together; 0 where none is to be found. */
export function allBrowserBytes(): number {
  return browserProcesses(/./).reduce((sum, { bytes }) => sum + bytes, 0);
}

function largestOf(kind: RegExp): BrowserProcess | undefined {
  return browserProcesses(kind).sort((a, b) => b.bytes - a.bytes)[0];
}

function browserProcesses(kind: RegExp): BrowserProcess[] {
  if (!existsSync("/proc/self/status")) return [];
  const processes = readProcesses();
  const descends = (id: number): boolean => id === process.pid || (processes.get(id) !== undefined && descends(processes.get(id)!.parent)); // just looked up
  return [...processes].filter(([id, { command }]) => id !== process.pid && kind.test(command) && descends(id)).map(([id, { bytes }]) => ({ id, bytes }));
}

function readProcesses(): Map<number, { parent: number; command: string; bytes: number }> {
  const found = new Map<number, { parent: number; command: string; bytes: number }>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/status`, "utf8");
      const field = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
      found.set(Number(name), { parent: field("PPid"), command: readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim(), bytes: field("VmRSS") * 1024 });
    } catch (error) {
      if (!["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error; // it ended meanwhile
    }
  }
  return found;
}
