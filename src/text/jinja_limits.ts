import { Interpreter } from "@huggingface/jinja";

import { HearthError } from "../errors.ts";

// A template's time is bounded by whoever runs it; its memory must be bounded here, because a browser that runs out of
// it ends the page. Prompts of a million tokens have four million characters.
const MAX_LENGTH = 4 * 1024 * 1024; // of one string, or items of one list
const MAX_MADE = 64 * 1024 * 1024; // characters and items that all steps of one rendering make together
const MAX_RANGE = 100_000; // as in Jinja2's sandbox
/** Characters of a template; the largest real ones have 60 thousand, and parsing takes longer than linear time. */
export const MAX_TEMPLATE_LENGTH = 1_000_000;

type Statement = Parameters<Interpreter["evaluate"]>[0];
type Value = ReturnType<Interpreter["evaluate"]>;

/** An interpreter that refuses to make more text and lists than any prompt needs. */
export class BoundedInterpreter extends Interpreter {
  #made = 0;

  override evaluate(...[statement, environment]: Parameters<Interpreter["evaluate"]>): Value {
    const result = super.evaluate(statement, environment);
    if (!makesValues(statement)) return result;
    const length = lengthOf(result);
    this.#made += length;
    if (length > MAX_LENGTH) throw tooLarge(`a text or list longer than ${MAX_LENGTH}`);
    if (this.#made > MAX_MADE) throw tooLarge(`more than ${MAX_MADE} characters in all`);
    return result;
  }
}

/** Python's range, with the bound that Jinja2's sandbox has. */
export function boundedRange(first: number, last?: number, step = 1): number[] {
  const [start, end] = last === undefined ? [0, first] : [first, last];
  if (step === 0) throw new Error("range() step must not be zero");
  const count = Math.max(0, Math.ceil((end - start) / step));
  if (count > MAX_RANGE) throw tooLarge(`a range of ${count}`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}

// Naming a variable or a part of one makes nothing, however long it is.
function makesValues(statement: Statement): boolean {
  return statement !== undefined && statement.type !== "Identifier" && statement.type !== "MemberExpression" && statement.type !== "StringLiteral";
}

function lengthOf({ value }: Value): number {
  return typeof value === "string" || Array.isArray(value) ? value.length : 0;
}

function tooLarge(made: string): HearthError {
  return new HearthError("text-limit", `chat template: expected a prompt of some thousand characters, found that it makes ${made}; it was stopped. Use another model.`);
}
