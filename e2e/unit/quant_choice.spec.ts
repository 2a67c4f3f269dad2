import { expect, test } from "@playwright/test";

import { chooseQuantize } from "../../src/engine/quantize_choice.ts";
import { parseQuantizationFile } from "../../src/formats/quantization.ts";
import type { Dtype, TensorEntry } from "../../src/formats/safetensors.ts";

const BYTES: Readonly<Record<string, number>> = { F32: 4, F16: 2, BF16: 2, U32: 4, I64: 8 };

function entry(dtype: Dtype, ...shape: number[]): TensorEntry {
  return { name: "m", dtype, shape, begin: 100, end: 100 + BYTES[dtype] * shape.reduce((product, size) => product * size, 1) };
}

test("floats of up to 256 MiB stay floats, more go to 8 bits, and a billion parameters to 4", () => {
  expect(chooseQuantize([entry("BF16", 4096, 32_768)])).toBe("none");
  expect(chooseQuantize([entry("F32", 4096, 16_384)])).toBe("none");
  expect(chooseQuantize([entry("BF16", 4096, 32_768), entry("BF16", 1, 2)])).toBe("q8");
  expect(chooseQuantize([entry("F32", 999_999, 1000)])).toBe("q8");
  expect(chooseQuantize([entry("BF16", 1_000_000, 1000)])).toBe("q4");
  expect(chooseQuantize([entry("F16", 32, 10_000, 2000), entry("F16", 64_000, 6000)])).toBe("q4");
});

test("vectors do not count, and a checkpoint with packed matrices is left as it is", () => {
  expect(chooseQuantize([entry("F32", 2 ** 28), entry("I64", 2), entry("BF16", 64, 64)])).toBe("none");
  expect(chooseQuantize([entry("BF16", 1_000_000, 1000), entry("U32", 4096, 512)])).toBe("none");
  expect(chooseQuantize([])).toBe("none");
});

test("the files of old GPTQ, old AWQ and ModelOpt say what config.json would", () => {
  const gptq = parseQuantizationFile('{"bits": 4, "group_size": 128, "desc_act": true, "checkpoint_format": "gptq_v2"}', "quantize_config.json");
  expect(gptq).toMatchObject({ method: "gptq", format: "gptq_v2", bits: 4, groupSize: 128, actOrder: true });
  const awq = parseQuantizationFile('{"zero_point": true, "q_group_size": 64, "w_bit": 4, "version": "GEMM"}', "quant_config.json");
  expect(awq).toMatchObject({ method: "awq", format: "gemm", bits: 4, groupSize: 64 });
  const modelopt = parseQuantizationFile('{"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "FP8", "kv_cache_quant_algo": null}}', "hf_quant_config.json");
  expect(modelopt).toMatchObject({ method: "modelopt", format: "fp8" });
  expect(parseQuantizationFile('{"quant_method": "aqlm"}', "quantize_config.json")).toMatchObject({ method: "aqlm" });
});
