/** Numbers that a kernel is compiled for: shapes, tile sizes, switches. */
export type ShaderConstants = Readonly<Record<string, number | boolean>>;

/** Values that must be f32 in WGSL although they may happen to be whole numbers. */
const FLOAT_CONSTANTS = new Set(["EPSILON", "SCALE", "EMBED_SCALE", "CAP", "RESIDUAL_SCALE", "QUERY_BETA", "NORM_FLOOR", "ROUTE_SCALE", "GATE_SCALE", "PACE_SCALE", "CUTOFF"]);

/**
 * Join a kernel's parts under its constants. Parts are plain WGSL files that share one scope; which of several variants
 * of a part is joined decides what the kernel does, so no preprocessor is needed.
 */
export function assembleShader(parts: readonly string[], constants: ShaderConstants, features: readonly string[] = []): string {
  const enables = features.map((feature) => `enable ${feature};`);
  const declarations = Object.entries(constants).map(([name, value]) => `const ${name}${literal(name, value)};`);
  return [...enables, ...declarations, ...parts].join("\n");
}

function literal(name: string, value: number | boolean): string {
  if (typeof value === "boolean") return ` = ${value}`;
  if (FLOAT_CONSTANTS.has(name)) return `: f32 = ${Number.isInteger(value) ? value.toFixed(1) : value}`;
  if (!Number.isInteger(value) || value < 0) throw new Error(`shader constant ${name}: expected an unsigned integer, found ${value}`);
  return ` = ${value}u`;
}
