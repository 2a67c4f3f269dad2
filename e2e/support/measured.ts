import { test } from "@playwright/test";

/** Note what a promise's test measured, for the report of all promises. */
export function measured(description: string): void {
  test.info().annotations.push({ type: "measured", description });
}
