import { expect, test } from "@playwright/test";

import { isBundled, sourceName } from "../../demo/catalogue.ts";
import { answerReserve, fitConversation, toMessages } from "../../demo/conversation.ts";
import type { Message, Turn } from "../../demo/conversation.ts";
import { count, formatBytes, formatMilliseconds, formatParameters, formatRate, formatSeconds } from "../../demo/format.ts";
import { DEFAULT_SETTINGS, readSettings, writeSettings } from "../../demo/settings.ts";
import { TransferRate } from "../../demo/transfer_rate.ts";

const turns: Turn[] = [1, 2, 3, 4].map((n) => ({ question: `q${n}`, answer: `a${n}` }));
// One token per message keeps the arithmetic in view.
const countTokens = async (messages: Message[]): Promise<number> => messages.length;

test("a conversation that fits is sent whole", async () => {
  const limits = { contextLength: 20, reserve: 5, countTokens };
  const fitted = await fitConversation("", turns, "q5", 0, limits);
  expect(fitted).toMatchObject({ firstTurn: 0, promptTokens: 9 });
});

test("the oldest turns are left out, with room to spare for the next", async () => {
  const limits = { contextLength: 10, reserve: 2, countTokens };
  const fitted = await fitConversation("Be brief.", turns, "q5", 0, limits);
  expect(fitted).toMatchObject({ firstTurn: 2, promptTokens: 6 });
  expect(fitted.messages.map(({ content }) => content)).toEqual(["Be brief.", "q3", "a3", "q4", "a4", "q5"]);
});

test("a question that is too long alone is told by its count", async () => {
  const limits = { contextLength: 100, reserve: 10, countTokens: async () => 300 };
  expect(await fitConversation("", turns, "long", 0, limits)).toMatchObject({ firstTurn: 4, promptTokens: 300 });
});

test("unanswered questions are not sent, so that roles alternate", () => {
  const roles = toMessages(" ", [{ question: "q", answer: "" }, { question: "q", answer: "a" }], "q").map(({ role }) => role);
  expect(roles).toEqual(["user", "assistant", "user"]);
  expect(answerReserve(512, 1024)).toBe(256);
  expect(answerReserve(50, 1024)).toBe(50);
});

test("settings survive a round trip, and a broken or absent store", () => {
  const values = new Map<string, string>();
  const store = { getItem: (key: string) => values.get(key) ?? null, setItem: (key: string, value: string) => void values.set(key, value) };
  const settings = { systemPrompt: "Be kind.", temperature: 0, maxTokens: 64, think: true };
  writeSettings(store, settings);
  expect(readSettings(store)).toEqual(settings);
  for (const text of ["not json", "null", "[1]", `{"temperature":"hot","maxTokens":-1,"think":1}`]) {
    expect(readSettings({ ...store, getItem: () => text })).toEqual(DEFAULT_SETTINGS);
  }
  expect(readSettings(undefined)).toEqual(DEFAULT_SETTINGS);
  writeSettings(undefined, settings);
});

test("numbers read as people write them", () => {
  expect([0, 999, 1500, 10_053_952, 351e6, 1.2e9].map(formatBytes)).toEqual(["0 bytes", "999 bytes", "1.5 KB", "10 MB", "351 MB", "1.2 GB"]);
  expect([0.2, 59, 90, 4800].map(formatSeconds)).toEqual(["1 s", "59 s", "2 min", "1 h 20 min"]);
  expect([85.4, 1234].map(formatMilliseconds)).toEqual(["85 ms", "1.2 s"]);
  expect([15_342_976, 596e6, 1.24e9].map(formatParameters)).toEqual(["15.3 million", "596 million", "1.2 billion"]);
  expect([8.254, 42.12, 812.4].map(formatRate)).toEqual(["8.25", "42.1", "812"]);
  expect([count(1, "token"), count(1200, "token")]).toEqual(["1 token", "1,200 tokens"]);
});

test("speed follows the last seconds, and says nothing too early", () => {
  const rate = new TransferRate();
  rate.add(0, 0);
  rate.add(5e6, 100);
  expect(rate.bytesPerSecond).toBeUndefined();
  for (let second = 1; second <= 20; second++) rate.add(second * 1e6 + 4e6, second * 1000);
  expect(rate.bytesPerSecond).toBeCloseTo(1e6);
  expect(rate.secondsLeft(34e6)).toBeCloseTo(10);
  rate.add(0, 21_000);
  expect(rate.bytesPerSecond).toBeUndefined();
});

test("a source is called by its last name", () => {
  expect(sourceName("./models/hearth-tiny/")).toBe("Hearth Tiny");
  expect(isBundled("http://localhost:5173/models/hearth-tiny/?v=1a2b")).toBe(true);
  expect(isBundled("someone/hearth-tiny")).toBe(false);
  expect(sourceName("mlx-community/Qwen3-0.6B-4bit")).toBe("Qwen3-0.6B-4bit");
  expect(sourceName("https://huggingface.co/org/name/resolve/main/")).toBe("name");
});
