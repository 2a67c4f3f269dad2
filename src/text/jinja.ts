import { Environment, parse, tokenize } from "@huggingface/jinja";

import { HearthError } from "../errors.ts";
import { BoundedInterpreter, boundedRange, MAX_TEMPLATE_LENGTH } from "./jinja_limits.ts";
import { REPAIR_FUNCTIONS, repairTree } from "./jinja_repairs.ts";
import { strftime } from "./strftime.ts";

/** A chat template that is ready to render. */
export interface JinjaProgram {
  /** Render with these variables; `now` is the time that `strftime_now` tells. */
  render(context: Readonly<Record<string, unknown>>, now: Date): string;
}

/** Names that every template already has, which a context must not declare again. */
export const BUILT_IN_NAMES: readonly string[] = [
  "true",
  "false",
  "none",
  "True",
  "False",
  "None",
  "namespace",
  "range",
  "raise_exception",
  "strftime_now",
];

/** Parse a template with the settings of transformers; `subject` names it in errors. */
export function compileJinja(source: string, subject: string): JinjaProgram {
  const program = parseSource(source, subject);
  return {
    render(context, now) {
      const environment = createEnvironment(subject, now);
      for (const [name, value] of Object.entries(context)) environment.set(name, value);
      return run(program, environment, subject);
    },
  };
}

function parseSource(source: string, subject: string): ReturnType<typeof parse> {
  if (source.length > MAX_TEMPLATE_LENGTH) {
    throw new HearthError("template", `${subject}: expected at most ${MAX_TEMPLATE_LENGTH} characters, found ${source.length}`);
  }
  try {
    return repairTree(parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })));
  } catch (cause) {
    throw new HearthError("template", `${subject}: the template could not be read: ${reasonOf(cause)}`, { cause });
  }
}

// The package's own Template would tell the month in the visitor's language, and its globals could not be told apart.
function createEnvironment(subject: string, now: Date): Environment {
  const environment = new Environment();
  const globals: Record<string, unknown> = {
    true: true,
    false: false,
    none: null,
    True: true,
    False: false,
    None: null,
    range: boundedRange,
    raise_exception: (message: unknown) => refuse(subject, message),
    strftime_now: (format: string) => strftime(now, format),
    ...REPAIR_FUNCTIONS,
  };
  for (const [name, value] of Object.entries(globals)) environment.set(name, value);
  return environment;
}

function run(program: ReturnType<typeof parse>, environment: Environment, subject: string): string {
  try {
    return String(new BoundedInterpreter(environment).run(program).value);
  } catch (cause) {
    if (cause instanceof HearthError) throw cause;
    throw new HearthError("template", `${subject}: the template failed on these messages: ${reasonOf(cause)}`, { cause });
  }
}

function refuse(subject: string, message: unknown): never {
  const cause = new Error(String(message));
  throw new HearthError("template", `${subject}: the template refuses these messages: ${cause.message}`, { cause });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
