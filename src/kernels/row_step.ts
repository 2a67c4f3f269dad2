import type { Gpu } from "../gpu/gpu.ts";
import { altup } from "./altup.ts";
import type { LayerStep } from "./branch.ts";
import { cutGlu } from "./cut_glu.ts";
import { expertVec, route } from "./experts.ts";
import type { RowDispatch } from "./matmul.ts";
import { normRows } from "./norm.ts";
import { recurrence } from "./recurrent.ts";
import { embed } from "./sample.ts";
import { scaleRows } from "./scale_rows.ts";
import type { Schedule } from "./schedule.ts";

/** Prepare a step that takes its rows one by one, and so is the same for decoding and prefill. */
export async function rowStep(gpu: Gpu, schedule: Schedule, step: Exclude<LayerStep, { kind: "matmul" | "attention" }>): Promise<RowDispatch[]> {
  switch (step.kind) {
    case "norm":
      return [await normRows(gpu, step.step)];
    case "recurrence":
      return recurrence(gpu, step.step);
    case "altup":
      return [await altup(gpu, step.step)];
    case "cut":
      return [await cutGlu(gpu, step.step)];
    case "embed":
      return embed(gpu, step.step);
    case "scale":
      return [await scaleRows(gpu, step.step)];
    case "route":
      return [await route(gpu, step.step)];
    case "experts":
      return expertVec(gpu, schedule, step.step);
    default:
      return step satisfies never;
  }
}
