import type { LoadProgress } from "../src/index.ts";
import { sourceName } from "./catalogue.ts";
import { button, create } from "./dom.ts";
import { formatBytes, formatSeconds } from "./format.ts";
import type { Source } from "./model_slot.ts";
import { TransferRate } from "./transfer_rate.ts";

/** The card that shows how far a load has come. */
export interface LoadCard {
  root: HTMLElement;
  update(progress: LoadProgress | undefined): void;
}

/** Create the card of one load. */
export function loadCard(source: Source, onCancel: () => void): LoadCard {
  const rate = new TransferRate();
  const bar = create("progress", "");
  bar.setAttribute("aria-label", `Loading ${sourceName(source)}`);
  const amount = create("span", "", "Reading what kind of model it is");
  const pace = create("span", "");
  const head = create(
    "div",
    "load-head",
    create("strong", "", sourceName(source)),
    button({ label: "Cancel", className: "link", onClick: onCancel }),
  );
  const root = create("div", "load-card", head, bar, create("div", "load-detail", amount, pace));
  return {
    root,
    update(progress) {
      if (progress?.phase !== "weights") return;
      rate.add(progress.loadedBytes, performance.now());
      bar.max = Math.max(progress.totalBytes, 1);
      bar.value = progress.loadedBytes;
      const done = progress.loadedBytes >= progress.totalBytes;
      amount.textContent = done ? "Preparing the graphics card" : amountText(progress);
      pace.textContent = done ? "" : paceText(progress, rate);
    },
  };
}

function amountText(progress: LoadProgress): string {
  return `${formatBytes(progress.loadedBytes)} of ${formatBytes(progress.totalBytes)}`;
}

function paceText(progress: LoadProgress, rate: TransferRate): string {
  if (progress.fromCache) return "from this browser's storage";
  const speed = rate.bytesPerSecond;
  const left = rate.secondsLeft(progress.totalBytes);
  const pace = speed === undefined || left === undefined ? [] : [`${formatBytes(speed)}/s`, `${formatSeconds(left)} left`];
  return [...(progress.slow ? ["slow network"] : []), ...pace].join(", ");
}
