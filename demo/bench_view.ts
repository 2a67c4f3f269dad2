import type { BenchmarkReport, KernelReport, ModelInfo } from "../src/index.ts";
import { DECODE, FIRST_TOKEN, PREFILL, QUANTITIES, TOKEN_TIMES, formatNumber, spread, withUnit } from "./bench_summary.ts";
import { sourceName } from "./catalogue.ts";
import { button, create } from "./dom.ts";
import { count, formatBytes, formatParameters } from "./format.ts";

/** Show what the runs so far measured: the speeds large, then bars, then every number. */
export function resultsView(info: ModelInfo, reports: readonly BenchmarkReport[], onCopy: () => void): HTMLElement[] {
  const figures = [DECODE, PREFILL, FIRST_TOKEN].map((quantity) => {
    const { median } = spread(reports, quantity);
    const number = create("dd", "", formatNumber(median), create("span", "unit", ` ${quantity.unit}`));
    return create("div", "figure", create("dt", "", quantity.name), number);
  });
  return [
    create("h2", "", sourceName(info.id)),
    create("p", "help", facts(info, reports)),
    create("dl", "figures", ...figures),
    bars("Decode, each run", DECODE.unit, reports.map((report, index) => [`Run ${index + 1}`, DECODE.read(report)])),
    bars("Time per token", "ms", TOKEN_TIMES.map((quantity) => [quantity.name.replace("Per token, ", ""), spread(reports, quantity).median])),
    table(reports),
    ...reports.flatMap(({ kernels }) => (kernels ? [kernelTable(kernels)] : [])),
    create("div", "button-row", button({ label: "Copy JSON", icon: "copy", className: "outline", onClick: onCopy })),
  ];
}

function facts(info: ModelInfo, reports: readonly BenchmarkReport[]): string {
  const { vendor, architecture, description, isSoftware } = info.adapter;
  const adapter = [vendor, architecture, description].filter(Boolean).join(" ") || "an unnamed graphics card";
  const where = isSoftware ? `${adapter}, a graphics card played by the processor` : adapter;
  const { promptTokens, completionTokens } = reports[0];
  const model = `${formatParameters(info.parameters)} parameters, ${info.weightFormat}, ${formatBytes(info.weightBytes)}`;
  return `${model}; on ${where}; ${count(promptTokens, "token")} of prompt, ${completionTokens} decoded.`;
}

const SVG = "http://www.w3.org/2000/svg";

/** Bars from zero to the greatest value; the numbers stand beside them, so the drawing itself is not spoken. */
function bars(title: string, unit: string, rows: readonly [name: string, value: number][]): HTMLElement {
  const most = Math.max(...rows.map(([, value]) => value), Number.MIN_VALUE);
  const items = rows.map(([name, value]) => {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "bar-drawing");
    svg.setAttribute("aria-hidden", "true");
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("width", `${(100 * value) / most}%`);
    rect.setAttribute("height", "100%");
    rect.setAttribute("rx", "4");
    svg.append(rect);
    return create("li", "", create("span", "", name), svg, create("span", "bar-value", withUnit(value, unit)));
  });
  return create("section", "bars", create("h3", "", title), create("ul", "", ...items));
}

function table(reports: readonly BenchmarkReport[]): HTMLElement {
  const head = create("tr", "", ...["Measured", "Median", "Least", "Most"].map((text) => cell("th", "col", text)));
  const rows = QUANTITIES.map((quantity) => {
    const { median, least, most } = spread(reports, quantity);
    return create("tr", "", cell("th", "row", quantity.name), create("td", "", withUnit(median, quantity.unit)), create("td", "", formatNumber(least)), create("td", "", formatNumber(most)));
  });
  const caption = create("caption", "", `${count(reports.length, "run")}, greedy, one sequence`);
  return create("table", "", caption, create("thead", "", head), create("tbody", "", ...rows));
}

function kernelTable({ clock, kernels }: KernelReport): HTMLElement {
  const head = create("tr", "", ...["Kernel", "Runs", "Per token", "Of the bandwidth", "Of a plain read"].map((text) => cell("th", "col", text)));
  const rows = kernels.map(({ label, dispatches, milliseconds, bandwidthFraction, plainReadFraction }) => {
    const shares = [bandwidthFraction, plainReadFraction].map((share) => create("td", "", share === undefined ? "" : withUnit(100 * share, "%")));
    return create("tr", "", cell("th", "row", label), create("td", "", String(dispatches)), create("td", "", withUnit(milliseconds, "ms")), ...shares);
  });
  const told = clock === "wall" ? "by this page's clock, as the graphics card tells no times" : "by the graphics card's own clock";
  const caption = create("caption", "", `Each kernel of a token by itself, ${told}; shares where it reads 16 MiB or more at once`);
  return create("table", "kernels", caption, create("thead", "", head), create("tbody", "", ...rows));
}

function cell(tag: "th", scope: "col" | "row", text: string): HTMLElement {
  const element = create(tag, "", text);
  element.scope = scope;
  return element;
}
