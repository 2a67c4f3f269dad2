import { expect, test } from "@playwright/test";

import { parseBlocks, parseInlines } from "../../demo/markdown.ts";
import { splitThinking } from "../../demo/thinking.ts";

const paragraph = (text: string) => ({ kind: "paragraph", inlines: [{ kind: "text", text }] });

test("blank lines separate paragraphs, and single line ends stay", () => {
  expect(parseBlocks("one\ntwo\n\n\nthree\r\n")).toEqual([paragraph("one\ntwo"), paragraph("three")]);
  expect(parseBlocks("")).toEqual([]);
});

test("markup stays text", () => {
  const html = `<img src=x onerror="alert(1)"> <script>alert(1)</script>`;
  expect(parseBlocks(html)).toEqual([paragraph(html)]);
});

test("a fence keeps its text as it is, closed or still open", () => {
  const code = { kind: "code", language: "js", text: "a  **b**\n\n- c" };
  expect(parseBlocks("```js\na  **b**\n\n- c\n```\nend")).toEqual([code, paragraph("end")]);
  expect(parseBlocks("```js\na  **b**\n\n- c")).toEqual([code]);
  expect(parseBlocks("~~~\n```\n~~~")).toEqual([{ kind: "code", language: "", text: "```" }]);
});

test("lists nest, keep their start, and end before plain text", () => {
  expect(parseBlocks("3. first\n   - inner\n4. second\n\nafter")).toEqual([
    {
      kind: "list",
      ordered: true,
      start: 3,
      items: [[paragraph("first"), { kind: "list", ordered: false, start: 1, items: [[paragraph("inner")]] }], [paragraph("second")]],
    },
    paragraph("after"),
  ]);
});

test("a list may follow a paragraph at once, and a change of marker starts another list", () => {
  expect(parseBlocks("Take:\n- wood\n\n- fire\n1. light it").map((block) => block.kind)).toEqual(["paragraph", "list", "list"]);
});

test("headings, quotes and rules are blocks", () => {
  expect(parseBlocks("## Title ##\n> said\n> so\n\n---")).toEqual([
    { kind: "heading", level: 2, inlines: [{ kind: "text", text: "Title" }] },
    { kind: "quote", blocks: [paragraph("said\nso")] },
    { kind: "rule" },
  ]);
});

test("a mark without its partner, as at the end of a stream, stays text", () => {
  for (const text of ["so **bo", "`co", "2 * 3 * 4", "snake_case_name", "**", "* * x", "_ a _"]) {
    expect(parseInlines(text)).toEqual([{ kind: "text", text }]);
  }
});

test("inline runs are strong, emphasis and code, and code shields its content", () => {
  expect(parseInlines("a **b** *c* __d__ _e_ `**f**` ``g`h``")).toEqual([
    { kind: "text", text: "a " },
    { kind: "strong", text: "b" },
    { kind: "text", text: " " },
    { kind: "emphasis", text: "c" },
    { kind: "text", text: " " },
    { kind: "strong", text: "d" },
    { kind: "text", text: " " },
    { kind: "emphasis", text: "e" },
    { kind: "text", text: " " },
    { kind: "code", text: "**f**" },
    { kind: "text", text: " " },
    { kind: "code", text: "g`h" },
  ]);
});

test("hostile nesting and long lines of marks end, and end soon", () => {
  const started = performance.now();
  parseBlocks("> ".repeat(5000) + "x");
  parseBlocks("- ".repeat(5000) + "x");
  parseBlocks("*".repeat(20_000));
  parseBlocks("**a ".repeat(3000));
  parseBlocks("`a ".repeat(3000) + "``");
  parseBlocks("_a ".repeat(3000));
  expect(performance.now() - started).toBeLessThan(2000);
});

test("every prefix of a text parses, and no letter is lost", () => {
  const text = "# A\n\nsome **bold** and `code`\n\n1. x\n   * y\n2. z\n\n```py\nprint(1)\n```\n> q";
  const letters = (value: string): string => value.replace(/[^A-Za-z]/g, "");
  for (let end = 0; end <= text.length; end++) {
    const shown = JSON.stringify(parseBlocks(text.slice(0, end)), (key, value) => (key === "kind" ? undefined : value));
    for (const word of ["some", "bold", "code", "print"]) {
      if (text.slice(0, end).includes(word)) expect(letters(shown)).toContain(word);
    }
  }
});

test("thinking is split from the answer, also while it is still open", () => {
  expect(splitThinking("plain")).toEqual({ thought: "", answer: "plain", open: false });
  expect(splitThinking("<thi")).toEqual({ thought: "", answer: "", open: false });
  expect(splitThinking("<think>\nhm")).toEqual({ thought: "hm", answer: "", open: true });
  expect(splitThinking("<think>\nhm\n</think>\n\nyes")).toEqual({ thought: "hm", answer: "yes", open: false });
});
