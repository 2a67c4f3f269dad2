import { expect, test } from "@playwright/test";

import { HearthError } from "../../src/errors.ts";
import type { MethodQuantization } from "../../src/formats/quantization.ts";
import type { Dtype, TensorEntry } from "../../src/formats/safetensors.ts";
import { recogniseModule } from "../../src/quant/module.ts";
import type { ModuleWeights } from "../../src/quant/module_weights.ts";

type Stored = Record<string, [dtype: Dtype, ...shape: number[]]>;

const bytesOf: Partial<Record<Dtype, number>> = { I32: 4, F16: 2, BF16: 2, F32: 4 };
const CONFIG: MethodQuantization = { method: "gptq", weightBits: [], actOrder: false, isOnline: false, hasTransforms: false };

function recognise(stored: Stored, config: MethodQuantization | undefined = CONFIG): ModuleWeights {
  const entries = new Map(Object.entries(stored).map(([suffix, [dtype, ...shape]]): [string, TensorEntry] => [`m.${suffix}`, { name: `m.${suffix}`, dtype, shape, begin: 0, end: (bytesOf[dtype] ?? 1) * shape.reduce((product, size) => product * size, 1) }]));
  return recogniseModule({ module: "m", rows: 64, columns: 128, find: (name) => entries.get(name) }, config);
}

function refusal(stored: Stored, config?: MethodQuantization): HearthError {
  try {
    recognise(stored, config);
  } catch (error) {
    if (error instanceof HearthError) return error;
    throw error;
  }
  throw new Error("expected recogniseModule to refuse");
}

const GPTQ: Stored = { qweight: ["I32", 16, 64], qzeros: ["I32", 2, 8], scales: ["F16", 2, 64], g_idx: ["I32", 128] };

const unsupported: [name: string, stored: Stored, config: Partial<MethodQuantization>, message: RegExp][] = [
  ["GPTQ in Marlin's order", GPTQ, { format: "marlin" }, /packed as "marlin", which is not supported\. Hearth reads .*GPTQ/],
  ["GPTQ at 5 bits", { ...GPTQ, qweight: ["I32", 20, 64] }, {}, /GPTQ at 5 bits/],
  ["AWQ's gemv", { qweight: ["I32", 128, 8], scales: ["F16", 2, 64] }, { method: "awq", format: "gemv" }, /AWQ "gemv"/],
  ["a sparse bitmask", { compressed: ["BF16", 4096], bitmask: ["U8", 64, 16] }, { method: "compressed-tensors" }, /stored as a sparse bitmask/],
  ["Marlin's sparse order", { weight_packed: ["I32", 4, 128], meta: ["I16", 64, 4] }, { method: "compressed-tensors" }, /2:4 sparse/],
  ["HQQ at 3 bits", { W_q: ["I32", 13, 64], scale: ["F16", 128, 1], zero: ["F16", 128, 1] }, { method: "hqq" }, /quantised by HQQ at 3\.3 bits/],
  ["HQQ across rows", { W_q: ["U8", 32, 128], scale: ["F16", 1, 128], zero: ["F16", 1, 128] }, { method: "hqq" }, /across rows \(axis 0\)/],
  ["HQQ with quantised scales", { W_q: ["U8", 32, 128], zero_scale: ["F16", 2, 128, 1] }, { method: "hqq" }, /scales that are quantised again/],
  ["HQQ with rounded activations", { W_q: ["U8", 64, 64], scale: ["F16", 128, 1], zero: ["F16", 128, 1], act_bits: ["F32"] }, { method: "hqq" }, /together with its activations/],
  ["quanto's E5M2", { "weight._data": ["F8_E5M2", 64, 128], "weight._scale": ["F16", 64, 1] }, {}, /stored by quanto as F8_E5M2/],
  ["quanto with whole zero points", { "weight._data._data": ["U8", 32, 128], "weight._scale": ["F16", 64, 1], "weight._zeropoint": ["I8", 64, 1] }, {}, /whole zero points/],
  ["quanto in narrow groups", { "weight._data._data": ["U8", 256, 16], "weight._scale": ["F16", 512, 1], "weight._shift": ["F16", 512, 1] }, {}, /groups of 16 of 128 columns/],
  ["torchao's tiled int4", { _weight_qdata: ["I32", 8, 8, 32, 4], _weight_scale_and_zero: ["BF16", 4, 64, 2] }, { method: "torchao" }, /stored by torchao as I32 \[8,8,32,4\] with scales of another name/],
  ["torchao's MX", { _weight_qdata: ["F8_E4M3", 64, 128], _weight_scale: ["F8_E8M0", 64, 4] }, { method: "torchao" }, /scales F8_E8M0 \[64,4\]/],
  ["torchao's first safetensors", { "weight:qdata": ["I8", 64, 128], "weight:scale": ["BF16", 64, 1] }, { method: "torchao" }, /torchao's first safetensors/],
  ["E5M2", { weight: ["F8_E5M2", 64, 128] }, {}, /stored as F8_E5M2/],
  ["BitNet of another class", { weight: ["U8", 16, 128], weight_scale: ["BF16", 1] }, { method: "bitnet", format: "bitlinear2" }, /BitNet "bitlinear2"/],
  ["BitNet kept in floats", { weight: ["BF16", 64, 128], weight_scale: ["BF16", 1] }, { method: "bitnet" }, /stored as BF16 with scales of its own \(bitnet\)/],
];

for (const [name, stored, config, message] of unsupported) {
  test(`${name} is refused by name, with the list of what is read`, () => {
    const error = refusal(stored, { ...CONFIG, ...config });
    expect(error.code).toBe("unsupported-checkpoint");
    expect(error.message).toMatch(message);
    expect(error.message).toContain("MLX affine (2, 3, 4, 5, 6 and 8 bits");
  });
}

test("tensors that contradict each other are a damaged checkpoint", () => {
  expect(refusal({ ...GPTQ, qzeros: ["I32", 3, 8] }).code).toBe("corrupt-checkpoint");
  expect(refusal({ qweight: ["I32", 16, 64] }).code).toBe("corrupt-checkpoint");
  expect(refusal({ weight: ["F8_E4M3", 64, 128], weight_scale: ["F32", 5, 1] }).code).toBe("corrupt-checkpoint");
  expect(refusal({ weight_packed: ["I32", 64, 16] }).code).toBe("corrupt-checkpoint");
  expect(refusal({ "weight._data": ["I8", 64, 128] }).code).toBe("corrupt-checkpoint");
  expect(refusal({ _weight_qdata: ["I8", 64, 64], _weight_scale: ["BF16", 2, 64] }).code).toBe("corrupt-checkpoint");
  expect(refusal({}).message).toMatch(/m\.weight: expected in the checkpoint/);
});

test("columns listed in another order without act-order in the config are refused when they come", () => {
  const held = recognise(GPTQ).tensors.find((tensor) => tensor.entry.name === "m.g_idx");
  const prepare = held?.role === "held" ? held.prepare : undefined;
  const listed = (group: (column: number) => number) => new Uint8Array(Int32Array.from({ length: 128 }, (_, column) => group(column)).buffer);
  expect(prepare?.(listed((column) => Math.floor(column / 64)))).toBeDefined();
  expect(() => prepare?.(listed((column) => column % 2))).toThrow(/order of its own/);
  expect(() => prepare?.(listed(() => 2))).toThrow(/groups from 0 to 1, found 2/);
});

test("act-order and groups of 16 are kept as half floats, everything else in codes", () => {
  expect(recognise(GPTQ).format).toEqual({ codes: "q4", scales: "f32", group: 64 });
  expect(recognise(GPTQ, { ...CONFIG, actOrder: true }).format).toEqual({ codes: "f16" });
  expect(recognise({ ...GPTQ, qzeros: ["I32", 8, 8], scales: ["F16", 8, 64] }, { ...CONFIG, groupSize: 16 }).format).toEqual({ codes: "f16" });
});
