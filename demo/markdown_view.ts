import { copyButton, create } from "./dom.ts";
import { parseBlocks } from "./markdown.ts";
import type { Block, Inline } from "./markdown.ts";

/** Show a growing text in an element; only the blocks that changed since the last call are built again. */
export function markdownView(target: HTMLElement): (text: string) => void {
  let shown: string[] = [];
  return (text) => {
    const blocks = parseBlocks(text);
    const keys = blocks.map((block) => JSON.stringify(block));
    let same = 0;
    while (same < shown.length && shown[same] === keys[same]) same++;
    while (target.children.length > same) target.lastElementChild?.remove();
    target.append(...blocks.slice(same).map(blockElement));
    shown = keys;
  };
}

function blockElement(block: Block): HTMLElement {
  switch (block.kind) {
    case "paragraph":
      return create("p", "", ...block.inlines.map(inlineNode));
    case "heading":
      return headingElement(block.level, block.inlines);
    case "code":
      return codeElement(block.language, block.text);
    case "quote":
      return create("blockquote", "", ...block.blocks.map(blockElement));
    case "rule":
      return create("hr");
    case "list":
      return listElement(block);
    default:
      return block satisfies never;
  }
}

function inlineNode(inline: Inline): Node {
  switch (inline.kind) {
    case "text":
      return document.createTextNode(inline.text);
    case "strong":
      return create("strong", "", inline.text);
    case "emphasis":
      return create("em", "", inline.text);
    case "code":
      return create("code", "", inline.text);
    default:
      return inline.kind satisfies never;
  }
}

/** A model's headings sit below the page's own, so level 1 becomes h3. */
function headingElement(level: number, inlines: Inline[]): HTMLElement {
  const tag = level <= 1 ? "h3" : level === 2 ? "h4" : "h5";
  return create(tag, "", ...inlines.map(inlineNode));
}

function codeElement(language: string, text: string): HTMLElement {
  const head = create("div", "code-head", create("span", "", language || "code"), copyButton("Copy code", () => text));
  const body = create("pre", "", create("code", "", text));
  body.tabIndex = 0; // so that a long line can be scrolled by keyboard
  return create("div", "code-block", head, body);
}

function listElement(block: Extract<Block, { kind: "list" }>): HTMLElement {
  const items = block.items.map((blocks) => create("li", "", ...blocks.map(blockElement)));
  if (!block.ordered) return create("ul", "", ...items);
  const list = create("ol", "", ...items);
  list.start = block.start;
  return list;
}
