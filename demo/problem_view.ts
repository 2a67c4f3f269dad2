import { button, create } from "./dom.ts";
import { REMEDY_LABELS } from "./problem.ts";
import type { Problem, Remedy } from "./problem.ts";

/** Show a problem and its ways out. */
export function problemView(problem: Problem, onRemedy: (remedy: Remedy) => void): HTMLElement {
  const buttons = problem.remedies.map((remedy, index) =>
    button({
      label: REMEDY_LABELS[remedy],
      className: index === 0 ? "primary" : "outline",
      onClick: () => onRemedy(remedy),
    }),
  );
  const card = create(
    "div",
    "problem",
    create("strong", "", problem.title),
    create("p", "", problem.detail),
    create("div", "button-row", ...buttons),
  );
  card.setAttribute("role", "alert");
  return card;
}

const BROWSERS = [
  "Chrome and Edge 113 or newer, on Windows, macOS, ChromeOS and Android",
  "Safari 26 or newer, on Mac, iPhone and iPad",
  "Firefox 141 or newer on Windows, 145 or newer on Macs with Apple silicon",
  "Chrome on Linux, with Vulkan and WebGPU switched on at chrome://flags",
];

/** Explain what a browser without WebGPU lacks, and where the page does work. */
export function noWebGpuView(detail: string, onRetry: () => void): HTMLElement[] {
  const secure = window.isSecureContext;
  const reason = secure
    ? "Hearth computes on the graphics card through WebGPU, and this browser does not offer it here. The page works in:"
    : "WebGPU is only offered to pages that come over https or from localhost, and this one did not. Open it over https in:";
  const list = create("ul", "", ...BROWSERS.map((line) => create("li", "", line)));
  const parts: HTMLElement[] = [create("h2", "", "This browser cannot light the fire"), create("p", "", reason), list];
  if (secure) parts.push(create("p", "", "If yours is listed, hardware acceleration may be switched off in its settings, or its graphics driver may be too old."));
  if (detail) parts.push(create("p", "help", detail));
  parts.push(create("div", "button-row", button({ label: "Try again", className: "outline", onClick: onRetry })));
  return parts;
}
