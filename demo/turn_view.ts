import { button, copyButton, create, icon, perFrame } from "./dom.ts";
import { markdownView } from "./markdown_view.ts";
import { problemView } from "./problem_view.ts";
import type { Problem, Remedy } from "./problem.ts";
import { splitThinking } from "./thinking.ts";

/** One exchange on the page. */
export interface TurnView {
  root: HTMLElement;
  /** Empty the answer and wait for its first word. */
  wait(): void;
  /** Show the answer so far, at the next frame. */
  show(text: string): void;
  /** Show the finished answer and the facts about it. */
  finish(text: string, facts: string[]): void;
  fail(problem: Problem, onRemedy: (remedy: Remedy) => void): void;
  /** Offer to answer again; only the last turn does. */
  offerAgain(offered: "yes" | "no"): void;
}

/** Create the view of one exchange. */
export function turnView(question: string, onAgain: () => void): TurnView {
  let text = "";
  const parts = turnParts(question, () => splitThinking(text).answer, onAgain);
  const frame = perFrame(() => parts.body.show(text));
  const setText = (value: string): void => {
    text = value;
    frame.schedule();
  };
  return {
    root: parts.root,
    wait() {
      parts.problem.replaceChildren();
      parts.facts.textContent = "";
      setText("");
      frame.flush();
      setState(parts.answer, "waiting");
    },
    show(value) {
      setText(value);
      setState(parts.answer, splitThinking(value).answer ? "streaming" : "waiting");
    },
    finish(value, lines) {
      setText(value);
      frame.flush();
      parts.facts.replaceChildren(...lines.map((line) => create("span", "", line)));
      setState(parts.answer, "done");
    },
    fail(what, onRemedy) {
      frame.flush();
      parts.problem.replaceChildren(problemView(what, onRemedy));
      setState(parts.answer, "failed");
    },
    offerAgain(offered) {
      parts.again.hidden = offered === "no";
    },
  };
}

/** The stylesheet draws the states; a screen reader waits while the answer is busy. */
function setState(answer: HTMLElement, state: "waiting" | "streaming" | "done" | "failed"): void {
  answer.dataset["state"] = state;
  answer.setAttribute("aria-busy", String(state === "waiting" || state === "streaming"));
}

function turnParts(question: string, copied: () => string, onAgain: () => void) {
  const body = answerBody();
  const problem = create("div");
  const facts = create("span", "facts");
  const again = button({ label: "Answer again", icon: "again", iconOnly: true, onClick: onAgain });
  const foot = create("div", "answer-foot", create("div", "tools", copyButton("Copy answer", copied), again), facts);
  const answer = create("div", "answer", create("span", "sr-only", "Answer: "), body.root, problem, foot);
  const asked = create("div", "question", create("span", "sr-only", "You: "), create("div", "bubble", question));
  return { root: create("article", "turn", asked, answer), answer, body, problem, facts, again };
}

interface AnswerBody {
  root: HTMLElement;
  show(text: string): void;
}

/** The answer's text, with what the model thought folded away above it. */
function answerBody(): AnswerBody {
  const label = create("span", "", "Thinking");
  const thoughtText = create("div", "thought-text");
  const thought = create("details", "thought", create("summary", "", icon("chevron"), label), thoughtText);
  thought.hidden = true;
  const prose = create("div", "prose");
  const showMarkdown = markdownView(prose);
  return {
    root: create("div", "answer-body", thought, prose),
    show(text) {
      const split = splitThinking(text);
      thought.hidden = split.thought === "";
      if (thoughtText.textContent !== split.thought) thoughtText.textContent = split.thought;
      label.textContent = split.open ? "Thinking" : "Thought first";
      showMarkdown(split.answer);
    },
  };
}
