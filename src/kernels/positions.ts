import { prepareDispatch } from "../gpu/dispatch.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { assembleShader } from "../gpu/shader.ts";
import { weightBindings, weightConstants, weightShaderParts, type Matrix } from "../quant/matrix.ts";
import addPositionsShader from "../../shaders/add_positions.wgsl?raw";
import stepPart from "../../shaders/lib/step.wgsl?raw";
import type { RowDispatch } from "./matmul.ts";

/** Prepare the addition of learned positions to embedded rows; nothing for families that rotate instead. */
export async function addPositions(gpu: Gpu, table: Matrix | undefined, M: number, hidden: GPUBuffer, rows: GPUBuffer): Promise<RowDispatch[]> {
  if (!table) return [];
  const [part, ...others] = table.parts;
  if (others.length > 0) throw new Error(`${table.label}: a table of positions fits one binding`);
  const code = assembleShader([...weightShaderParts(part.format), stepPart, addPositionsShader], { ...weightConstants(table, part), M });
  const pipeline = await gpu.compile("add_positions", code);
  const dispatch = prepareDispatch(gpu.device, "add_positions", pipeline, { 0: hidden, ...weightBindings(part), 10: rows }, [1, M, 1]);
  return [{ ...dispatch, rowsPerWorkgroup: 1 }];
}
