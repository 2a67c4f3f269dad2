import { parseArgs } from "node:util";

import { BROWSER_KINDS } from "./find_browser.mjs";

/** The bundled model, which every driver uses unless told otherwise. */
export const BUNDLED_MODEL = "public/models/hearth-tiny";

const SHARED = {
  model: { type: "string", value: "M", help: `a folder, a URL or a Hub id (default ${BUNDLED_MODEL})` },
  browser: { type: "string", value: BROWSER_KINDS.join("|"), help: "the browser to run in (default chromium)" },
  help: { type: "boolean", help: "show this text" },
};

/**
 * Read the command line of a driver. `command` has its usage line, how many positional arguments it takes, and its own
 * options; anything else on the command line is refused. Ends the process after --help.
 */
export function readOptions(command) {
  const options = { ...command.options, ...SHARED };
  const { values, positionals } = parse(options);
  if (values.help) {
    console.log(helpText(command.usage, options));
    process.exit(0);
  }
  if (positionals.length !== command.positionals) fail(`expected ${command.usage}, found ${positionals.length} arguments`);
  const browser = values.browser ?? "chromium";
  if (!BROWSER_KINDS.includes(browser)) fail(`--browser: expected ${BROWSER_KINDS.join(" or ")}, found ${browser}`);
  return { ...values, ...numbers(options, values), model: values.model ?? BUNDLED_MODEL, browser, positionals };
}

/** Those of some values that were given. */
export function given(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** End the process over a mistake in how the command was called. */
export function fail(message) {
  console.error(`${message} (--help lists what there is)`);
  process.exit(2);
}

function parse(options) {
  // parseArgs knows strings and booleans; a number is a string until it is checked.
  const plain = Object.entries(options).map(([name, { type }]) => [name, { type: type === "number" ? "string" : type }]);
  try {
    return parseArgs({ options: Object.fromEntries(plain), allowPositionals: true, strict: true });
  } catch (error) {
    return fail(error.message);
  }
}

function numbers(options, values) {
  const given = Object.keys(values).filter((name) => options[name].type === "number");
  return Object.fromEntries(given.map((name) => [name, toNumber(name, values[name])]));
}

function toNumber(name, text) {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number)) fail(`--${name}: expected a number, found "${text}"`);
  return number;
}

function helpText(usage, options) {
  const rows = Object.entries(options).map(([name, { type, value, help }]) => {
    const placeholder = type === "boolean" ? "" : ` ${value ?? "N"}`;
    return [`  --${name}${placeholder}`, help];
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [
    `Usage: ${usage}`,
    "",
    ...rows.map(([left, help]) => left.padEnd(width) + help),
    "",
    "BROWSER_PATH names another browser binary, BROWSER_ARGS adds flags to it.",
  ].join("\n");
}
