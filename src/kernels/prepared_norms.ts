import type { LayerStep } from "./branch.ts";
import type { MatmulStep } from "./matmul.ts";

/**
 * Let each product that completes a row of the residual stream prepare it for the product that comes next and normalises it:
 * the row times the gains, and its sums of squares, are read in less time than they take to make, which every stream of lanes
 * would do anew. `workgroups` says in how many a product runs; each leaves a sum. For steps of a single row.
 */
export function prepareNorms(steps: readonly LayerStep[], workgroups: (product: MatmulStep) => number): LayerStep[] {
  const prepared = [...steps];
  for (let i = 0; i + 1 < prepared.length; i++) {
    const first = lastProduct(prepared[i]);
    const next = prepared[i + 1];
    if (first?.output.kind !== "residual" || next.kind !== "matmul" || next.step.input.kind !== "rms") continue;
    const { buffer, gains, width, epsilon } = next.step.input;
    if (buffer !== first.output.buffer || first.output.stride !== next.step.weights.matrix.paddedColumns) continue;
    const output = { ...first.output, nextGains: gains };
    prepared[i] = withLastProduct(prepared[i], { ...first, output });
    prepared[i + 1] = { kind: "matmul", step: { ...next.step, input: { kind: "prepared", buffer, width, epsilon, squares: workgroups(first) } } };
  }
  return prepared;
}

function lastProduct(step: LayerStep): MatmulStep | undefined {
  if (step.kind === "attention") return step.output;
  return step.kind === "matmul" ? step.step : undefined;
}

function withLastProduct(step: LayerStep, product: MatmulStep): LayerStep {
  return step.kind === "attention" ? { ...step, output: product } : { kind: "matmul", step: product };
}
