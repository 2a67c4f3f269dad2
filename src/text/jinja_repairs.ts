// Two differences between @huggingface/jinja 0.5.11 and Jinja2 that change ordinary prompts, mended in the parsed tree.
// Delete this file when the package agrees; e2e/unit/text_templates.spec.ts checks both.
//
// 1. `text.strip("\n")` ignores its argument and strips all white space (Qwen3 and SmolLM3 lose indentation).
// 2. `for x in y` throws when y is undefined; Jinja2 loops over nothing.

interface Node {
  type: string;
  [field: string]: unknown;
}

const STRIP_METHODS = ["strip", "lstrip", "rstrip"];

/** The functions that repaired trees call; a template cannot spell their names. */
export const REPAIR_FUNCTIONS: Readonly<Record<string, (text: unknown, characters: unknown) => string>> = {
  "repaired strip": (text, characters) => stripEnd(stripStart(text, characters), characters),
  "repaired lstrip": stripStart,
  "repaired rstrip": stripEnd,
};

/** Mend a freshly parsed template in place and return it. */
export function repairTree<Tree>(tree: Tree): Tree {
  visit(tree);
  return tree;
}

function visit(value: unknown): void {
  if (Array.isArray(value)) return value.forEach(visit);
  if (value instanceof Map) return [...value].forEach(visit);
  if (!isNode(value)) return;
  Object.values(value).forEach(visit);
  if (value.type === "CallExpression") repairStrip(value);
  if (value.type === "For") repairLoop(value);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

// text.lstrip(characters) becomes `repaired lstrip`(text, characters).
function repairStrip(call: Node): void {
  const { callee, args } = call;
  if (!isNode(callee) || callee.type !== "MemberExpression" || callee.computed === true || !isNode(callee.property)) return;
  const method = callee.property.value;
  if (!Array.isArray(args) || args.length !== 1 || typeof method !== "string" || !STRIP_METHODS.includes(method)) return;
  call.args = [callee.object, args[0]];
  call.callee = makeNode(call, { type: "Identifier", value: `repaired ${method}` });
}

// `for x in y if z` keeps y and z in a select expression.
function repairLoop(loop: Node): void {
  const { iterable } = loop;
  if (isNode(iterable) && iterable.type === "SelectExpression") {
    iterable.lhs = withDefault(loop, iterable.lhs);
    return;
  }
  loop.iterable = withDefault(loop, iterable);
}

// y becomes y | default([]).
function withDefault(like: Node, operand: unknown): Node {
  const filter = makeNode(like, {
    type: "CallExpression",
    callee: makeNode(like, { type: "Identifier", value: "default" }),
    args: [makeNode(like, { type: "ArrayLiteral", value: [] })],
  });
  return makeNode(like, { type: "FilterExpression", operand, filter });
}

// The interpreter goes by `type`, but looks for variables only in nodes of its own class, which it does not export.
function makeNode(like: Node, fields: Node): Node {
  return Object.assign(Object.create(Object.getPrototypeOf(like)) as Node, fields);
}

function stripStart(text: unknown, characters: unknown): string {
  const { all, set } = stripArguments(text, characters);
  const first = all.findIndex((character) => !set.has(character));
  return first < 0 ? "" : all.slice(first).join("");
}

function stripEnd(text: unknown, characters: unknown): string {
  const { all, set } = stripArguments(text, characters);
  return all.slice(0, all.findLastIndex((character) => !set.has(character)) + 1).join("");
}

function stripArguments(text: unknown, characters: unknown): { all: string[]; set: Set<string> } {
  if (typeof text !== "string" || typeof characters !== "string") throw new Error("strip() works on a string, with a string of characters");
  return { all: [...text], set: new Set(characters) };
}
