/** A run of text with one style. */
export interface Inline {
  kind: "text" | "strong" | "emphasis" | "code";
  text: string;
}

/** A block of the small Markdown subset that answers are shown in. */
export type Block =
  | { kind: "paragraph"; inlines: Inline[] }
  | { kind: "heading"; level: number; inlines: Inline[] }
  | { kind: "code"; language: string; text: string }
  | { kind: "quote"; blocks: Block[] }
  | { kind: "rule" }
  | { kind: "list"; ordered: boolean; start: number; items: Block[][] };

const FENCE = /^ {0,3}(```+|~~~+)\s*([^`\s]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ITEM = /^( {0,3})([-*+•]|(\d{1,9})[.)])(\s+)(.*)$/;
const QUOTE = /^ {0,3}> ?/;
const MAX_DEPTH = 8; // deeper nesting is noise, and must not exhaust the stack

/** Split a text into blocks. It never fails: what is not understood stays a paragraph, as a text still streaming must. */
export function parseBlocks(text: string, depth = 0): Block[] {
  const lines = text.replaceAll("\r\n", "\n").replaceAll("\t", "    ").split("\n");
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at].trim() === "") {
      at++;
      continue;
    }
    const taken = depth < MAX_DEPTH ? takeSpecial(lines, at, depth) : undefined;
    const [block, next] = taken ?? takeParagraph(lines, at);
    blocks.push(block);
    at = next;
  }
  return blocks;
}

type Taken = [block: Block, next: number];

function takeSpecial(lines: string[], at: number, depth: number): Taken | undefined {
  const line = lines[at];
  const fence = FENCE.exec(line);
  if (fence) return takeCode(lines, at, fence);
  const heading = HEADING.exec(line);
  if (heading) return [{ kind: "heading", level: heading[1].length, inlines: parseInlines(heading[2]) }, at + 1];
  if (RULE.test(line)) return [{ kind: "rule" }, at + 1];
  if (QUOTE.test(line)) return takeQuote(lines, at, depth);
  return ITEM.test(line) ? takeList(lines, at, depth) : undefined;
}

function takeCode(lines: string[], at: number, fence: RegExpExecArray): Taken {
  const closes = (line: string): boolean => line.trim().startsWith(fence[1]) && line.trim().replaceAll(fence[1][0], "") === "";
  let end = at + 1;
  while (end < lines.length && !closes(lines[end])) end++;
  const text = lines.slice(at + 1, end).join("\n");
  return [{ kind: "code", language: fence[2], text }, end + 1];
}

function takeQuote(lines: string[], at: number, depth: number): Taken {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end++;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return [{ kind: "quote", blocks: parseBlocks(inner.join("\n"), depth + 1) }, end];
}

function takeList(lines: string[], at: number, depth: number): Taken {
  const first = ITEM.exec(lines[at])!; // the caller tested this line
  const ordered = first[3] !== undefined;
  const items: Block[][] = [];
  let next = at;
  while (next < lines.length) {
    const item = ITEM.exec(lines[next]);
    if (!item || (item[3] !== undefined) !== ordered || RULE.test(lines[next])) break;
    const [content, end] = takeItem(lines, next, item);
    items.push(parseBlocks(content, depth + 1));
    next = end;
  }
  return [{ kind: "list", ordered, start: ordered ? Number(first[3]) : 1, items }, next];
}

/** The text of one item, without its marker and indent, and the line after it. Blank lines belong to it when more follows. */
function takeItem(lines: string[], at: number, item: RegExpExecArray): [content: string, next: number] {
  const indent = item[1].length + item[2].length + Math.min(item[4].length, 4);
  const content = [item[5]];
  let next = at + 1;
  for (; next < lines.length; next++) {
    const line = lines[next];
    if (line.trim() === "") {
      content.push("");
      continue;
    }
    const spaces = line.length - line.trimStart().length;
    if (spaces >= Math.min(indent, 2)) {
      content.push(line.slice(Math.min(spaces, indent)));
      continue;
    }
    const lazy = content.at(-1) !== "" && !startsBlock(line);
    if (!lazy) break;
    content.push(line);
  }
  return [content.join("\n"), next];
}

function takeParagraph(lines: string[], at: number): Taken {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() !== "" && !startsBlock(lines[end])) end++;
  const text = lines.slice(at, end).map((line) => line.trim()).join("\n");
  return [{ kind: "paragraph", inlines: parseInlines(text) }, end];
}

function startsBlock(line: string): boolean {
  return [FENCE, HEADING, RULE, QUOTE, ITEM].some((pattern) => pattern.test(line));
}

// Alternatives in order: code, strong, emphasis. A marker must touch its text, so that "2 * 3 * 4" stays as it is.
const INLINE =
  /(`+)(?!`)(.+?)(?<!`)\1(?!`)|\*\*(?=\S)(.+?)(?<=\S)\*\*|(?<!\w)__(?=\S)(.+?)(?<=\S)__(?!\w)|\*(?=[^\s*])([^*\n]+?)(?<=\S)\*|(?<!\w)_(?=[^\s_])([^_\n]+?)(?<=\S)_(?!\w)/gs;

/** Split a line of text into plain, strong, emphasised and code runs. */
export function parseInlines(text: string): Inline[] {
  const inlines: Inline[] = [];
  let done = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > done) inlines.push({ kind: "text", text: text.slice(done, match.index) });
    inlines.push(styledRun(match));
    done = match.index + match[0].length;
  }
  if (done < text.length) inlines.push({ kind: "text", text: text.slice(done) });
  return inlines;
}

function styledRun(match: RegExpExecArray): Inline {
  const [, , code, starStrong, lineStrong, starEmphasis, lineEmphasis] = match;
  if (code !== undefined) return { kind: "code", text: code };
  const strong = starStrong ?? lineStrong;
  if (strong !== undefined) return { kind: "strong", text: strong };
  return { kind: "emphasis", text: starEmphasis ?? lineEmphasis };
}
