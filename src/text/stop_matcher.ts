import { HearthError } from "../errors.ts";

/** Text that is safe to show, and the stop string that ended it, if one did. */
export interface StopMatch {
  text: string;
  matched?: string;
}

/**
 * Lets text through up to the first stop string, and holds back whatever could still become one.
 *
 * The match that ends first wins, and of those the longest, so that the answer does not depend on how the text was cut.
 */
export class StopMatcher {
  private readonly stops: readonly string[];
  private held = "";
  private matched: string | undefined;

  constructor(stops: readonly string[]) {
    if (stops.some((stop) => stop === "")) {
      throw new HearthError("invalid-options", "stop: expected strings of at least one character, found an empty one; leave it out");
    }
    this.stops = stops;
  }

  /** Take more text; after a match nothing more comes out. */
  push(text: string): StopMatch {
    if (this.matched !== undefined) return { text: "", matched: this.matched };
    const pending = this.held + text;
    const match = firstMatch(pending, this.stops);
    if (match !== undefined) {
      this.held = "";
      this.matched = match.stop;
      return { text: pending.slice(0, match.start), matched: match.stop };
    }
    const safeLength = pending.length - heldLength(pending, this.stops);
    this.held = pending.slice(safeLength);
    return { text: pending.slice(0, safeLength) };
  }

  /** End the text and return what was held back for a stop string that never came. */
  flush(): string {
    const rest = this.held;
    this.held = "";
    return rest;
  }
}

function firstMatch(text: string, stops: readonly string[]): { start: number; stop: string } | undefined {
  let best: { start: number; stop: string } | undefined;
  for (const stop of stops) {
    const start = text.indexOf(stop);
    if (start < 0) continue;
    const earlier = best === undefined || start + stop.length < best.start + best.stop.length;
    const longer = best !== undefined && start + stop.length === best.start + best.stop.length && start < best.start;
    if (earlier || longer) best = { start, stop };
  }
  return best;
}

// The length of the longest suffix of `text` that is a proper prefix of any stop string.
function heldLength(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) longest = length;
    }
  }
  return longest;
}
