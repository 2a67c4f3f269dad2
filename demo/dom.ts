/** Find an element of the page by id, and check that it is what the caller takes it for. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`#${id}: expected ${type.name}, found ${found ? found.tagName : "nothing"}`);
}

/** Create an element with a class and children; strings become text nodes, never markup. */
export function create<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** Draw one of the symbols at the top of index.html. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** What a button says, does, and looks like. */
export interface ButtonSpec {
  label: string;
  onClick: () => void;
  className?: string;
  icon?: string;
  /** Show only the icon; the label is then spoken and shown as a tooltip. */
  iconOnly?: boolean;
}

/** Create a button. */
export function button(spec: ButtonSpec): HTMLButtonElement {
  const element = create("button", spec.className ?? "quiet");
  element.type = "button";
  if (spec.icon) element.append(icon(spec.icon));
  if (spec.iconOnly) {
    element.setAttribute("aria-label", spec.label);
    element.title = spec.label;
  } else {
    element.append(create("span", "", spec.label));
  }
  element.addEventListener("click", spec.onClick);
  return element;
}

const COPIED_MS = 1600; // long enough to be seen, short enough not to be mistaken for a state

/** Create a button that copies text, and shows a tick when it did. */
export function copyButton(label: string, text: () => string): HTMLButtonElement {
  const element = button({ label, icon: "copy", iconOnly: true, onClick: () => void copy() });
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text());
      announce(element, "check", "Copied");
    } catch {
      announce(element, "copy", "The browser refused to copy");
    }
  }
  function announce(target: HTMLButtonElement, name: string, tooltip: string): void {
    target.replaceChildren(icon(name));
    target.title = tooltip;
    target.setAttribute("aria-label", tooltip);
    setTimeout(() => {
      target.replaceChildren(icon("copy"));
      target.title = label;
      target.setAttribute("aria-label", label);
    }, COPIED_MS);
  }
  return element;
}

/** Coalesce calls into one per animation frame; `flush` runs a waiting one at once. */
export function perFrame(work: () => void): { schedule: () => void; flush: () => void } {
  let frame = 0;
  const run = (): void => {
    frame = 0;
    work();
  };
  return {
    schedule() {
      frame ||= requestAnimationFrame(run);
    },
    flush() {
      if (!frame) return;
      cancelAnimationFrame(frame);
      run();
    },
  };
}
