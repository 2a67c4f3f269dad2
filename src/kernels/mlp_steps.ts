import { padColumns } from "../quant/matrix.ts";
import type { Activations } from "./activations.ts";
import { normalised, normedInput, resultOf, type Branch, type LayerStep, type Result } from "./branch.ts";
import type { CutGluStep } from "./cut_glu.ts";
import type { LayerSpec, MlpSpec, MoeSpec } from "./decoder_spec.ts";
import type { LayerWeights, MlpWeights, MoeNormWeights, MoeWeights, NormWeights } from "./decoder_weights.ts";
import type { MatmulInput, MatmulStep } from "./matmul.ts";
import type { NormPlace } from "./norm.ts";

/** Describe a layer's MLP, its experts, or both, which read the residual stream and whose results are added to it. */
export function mlpBranch(activations: Activations, hiddenSize: number, { mlp, moe, isParallel, residualScales }: LayerSpec, layer: LayerWeights): Branch {
  const { before, input } = normalised(activations, layer.mlpNorm, "mlp input");
  const isNormedAlready = isParallel && layer.mlpNorm === layer.attentionNorm;
  const result = (norm: NormWeights | undefined): Result => resultOf(activations, "down", padColumns(hiddenSize), norm, residualScales.mlp);
  const apart = layer.moe?.norms && layer.mlpPostNorm && addedApart(activations, layer.moe.norms, layer.mlpPostNorm, residualScales.mlp);
  const branches = [
    ...(mlp && layer.mlp ? [denseSteps(activations, mlp, moe, layer.mlp, input, apart?.mlp ?? result(layer.mlpPostNorm))] : []),
    ...(moe && layer.moe ? [expertSteps(activations, moe, layer.moe, input, apart?.experts ?? result(undefined))] : []),
  ];
  return { read: [...(isNormedAlready ? [] : before), ...branches.flatMap(({ read }) => read)], write: branches.flatMap(({ write }) => write) };
}

function denseSteps(
  activations: Activations, mlp: MlpSpec, moe: MoeSpec | undefined, weights: MlpWeights, input: MatmulInput, { output: result, after }: Result,
): Branch {
  const { M, rows, mlp: buffer, routerLogits } = activations;
  const output: MatmulStep = { label: "down", weights: weights.down, input: normedInput(buffer, weights.downNorm), output: result };
  const stride = padColumns(mlp.intermediateSize);
  const activation = typeof mlp.activation === "string" ? mlp.activation : mlp.activation.kind;
  if (mlp.cutoff !== undefined) {
    const raw = { kind: "store", buffer: activations.pairs, stride: 2 * mlp.intermediateSize } as const;
    const cut: CutGluStep = { mlp, M, rows, pairs: activations.pairs, output: buffer };
    return { read: [{ kind: "matmul", step: { label: "up", weights: weights.up, input, output: raw } }, { kind: "cut", step: cut }], write: [{ kind: "matmul", step: output }, ...after] };
  }
  const up: MatmulStep = {
    label: "up",
    weights: weights.up,
    input,
    output: { kind: mlp.isGated ? "glu" : "activated", buffer, stride, activation, gateScale: mlp.gateScale, slopes: weights.slopes },
  };
  const gate: LayerStep[] = moe?.gatesMlp
    ? [{ kind: "scale", step: { M, rows, values: buffer, stride, factor: { kind: "sigmoid", buffer: routerLogits, stride: moe.router.rows, logit: moe.experts } } }]
    : [];
  return { read: [{ kind: "matmul", step: up }], write: [...gate, { kind: "matmul", step: output }, ...after] };
}

/** The router's logits, the choice, and what the chosen experts make of the input. */
function expertSteps({ M, rows, hidden, routerLogits, choices, experts }: Activations, moe: MoeSpec, weights: MoeWeights, layerInput: MatmulInput, { output, after }: Result): Branch {
  const { perExpert, norms } = weights;
  const [routerInput, input] = norms ? [normedInput(hidden, norms.router), normedInput(hidden, norms.experts)] : [layerInput, layerInput];
  const router: MatmulStep = { label: "router", weights: weights.router, input: routerInput, output: { kind: "store", buffer: routerLogits, stride: moe.router.rows } };
  const upOutput = { kind: "glu", buffer: experts, stride: padColumns(moe.intermediateSize), activation: moe.activation } as const;
  const up: MatmulStep = { label: "up", weights: weights.up, input, output: upOutput };
  const down: MatmulStep = { label: "down", weights: weights.down, input: { kind: "plain", buffer: experts }, output };
  return {
    read: [
      { kind: "matmul", step: router },
      { kind: "route", step: { moe, M, rows, logits: routerLogits, choices, perExpert } },
      { kind: "experts", step: { step: up, moe, choices, M, rows, results: "each" } },
    ],
    write: [{ kind: "experts", step: { step: down, moe, choices, M, rows, results: "sum" } }, ...after],
  };
}

/** An MLP's result and the experts', each normalised, then both together; until they join the stream, all lie in stripes as it does. */
function addedApart({ M, rows, hidden, normed, branch }: Activations, { mlpPost, expertsPost }: MoeNormWeights, both: NormWeights, scale: number): Record<"mlp" | "experts", Result> {
  const stride = padColumns(both.width);
  const output = { kind: "activated", buffer: branch, stride, activation: "identity" } as const;
  const norm = (label: string, weights: NormWeights, place: NormPlace): LayerStep => ({ kind: "norm", step: { label, weights, M, rows, place } });
  const toSum = { input: branch, inputStride: stride, output: normed, outputStride: stride };
  const toStream = { input: normed, inputStride: stride, output: hidden, outputStride: stride };
  return {
    mlp: { output, after: [norm("mlp result", mlpPost, { kind: "store", ...toSum })] },
    experts: {
      output,
      after: [
        norm("experts result", expertsPost, { kind: "residual", ...toSum, scale: 1, inputIsStriped: true }),
        norm("down result", both, { kind: "residual", ...toStream, scale, inputIsStriped: true }),
      ],
    },
  };
}
