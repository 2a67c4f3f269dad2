// ONNX's protobuf by hand: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto has the numbers of the fields.

/** ONNX's numbers of element types. */
export const TYPES = { f32: 1, u8: 2, i32: 6, i64: 7, f16: 10 };

const bytes = (field, body) => Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
const text = (field, value) => bytes(field, Buffer.from(value));
const integer = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const repeated = (field, values, write) => Buffer.concat(values.map((value) => write(field, value)));

function varint(value) {
  const out = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  return Buffer.from([...out, Number(rest)]);
}

function float(field, value) {
  const body = Buffer.alloc(4);
  body.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | 5), body]);
}

/** A whole number for an attribute; a plain number is written as a float. */
export const int = (value) => ({ int: value });

function attribute([name, value]) {
  const [kind, body] = typeof value === "number" ? [1, float(2, value)] : [2, integer(3, value.int)];
  return Buffer.concat([text(1, name), body, integer(20, kind)]);
}

/** A node: what it does, in which domain ("" is ONNX's own), with which inputs, outputs and attributes. */
export function node(domain, type, inputs, outputs, attributes = {}) {
  const own = Object.entries(attributes).map(attribute);
  return Buffer.concat([repeated(1, inputs, text), repeated(2, outputs, text), text(3, outputs[0]), text(4, type), repeated(5, own, bytes), text(7, domain)]);
}

/** A tensor whose bytes stand in the model file. */
export function inlineTensor(name, type, dims, body) {
  return Buffer.concat([repeated(1, dims, integer), integer(2, TYPES[type]), text(8, name), bytes(9, body)]);
}

/** A tensor whose bytes stand in a file beside the model. */
export function externalTensor(name, type, dims, { location, offset, length }) {
  const entries = Object.entries({ location, offset, length }).map(([key, value]) => Buffer.concat([text(1, key), text(2, String(value))]));
  return Buffer.concat([repeated(1, dims, integer), integer(2, TYPES[type]), text(8, name), repeated(13, entries, bytes), integer(14, 1)]);
}

/** An input or output; a name among the dims is a dimension that varies. */
export function value(name, type, dims) {
  const dim = (size) => (typeof size === "string" ? text(2, size) : integer(1, size));
  const tensor = Buffer.concat([integer(1, TYPES[type]), bytes(2, repeated(1, dims.map(dim), bytes))]);
  return Buffer.concat([text(1, name), bytes(2, bytes(1, tensor))]);
}

/** A model of one graph, with ONNX's operators and those of Microsoft. */
export function model({ nodes, tensors, inputs, outputs }) {
  const graph = Buffer.concat([repeated(1, nodes, bytes), text(2, "decoder"), repeated(5, tensors, bytes), repeated(11, inputs, bytes), repeated(12, outputs, bytes)]);
  const opset = (domain, version) => bytes(8, Buffer.concat([text(1, domain), integer(2, version)]));
  return Buffer.concat([integer(1, 10), bytes(7, graph), opset("", 21), opset("com.microsoft", 1)]);
}
