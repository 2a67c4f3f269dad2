import { readdirSync, readFileSync } from "node:fs";

/** Resident bytes of this process's browser renderers, the largest and their number; undefined where there is no /proc. */
export function largestRendererBytes(): number | undefined {
  const processes = readProcesses();
  const descends = (id: number): boolean => id === process.pid || (processes.get(id) !== undefined && descends(processes.get(id)!.parent));
  const sizes = [...processes].filter(([id, { command }]) => /--type=renderer|tab$/.test(command) && descends(id)).map(([, { bytes }]) => bytes);
  return sizes.length > 0 ? Math.max(...sizes) : undefined;
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
