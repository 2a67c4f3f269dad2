import { expect, test } from "@playwright/test";

import { memoryBudget } from "../../src/engine/memory_budget.ts";

test("only devices that end pages for their memory have a budget", () => {
  const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1";
  const android = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36";
  const desktop = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
  expect(memoryBudget({ userAgent: iphone })).toBe(1.5e9);
  expect(memoryBudget({ userAgent: android, deviceMemory: 8 })).toBe(4 * 2 ** 30);
  expect(memoryBudget({ userAgent: android })).toBeUndefined();
  expect(memoryBudget({ userAgent: desktop, deviceMemory: 8 })).toBeUndefined();
});
