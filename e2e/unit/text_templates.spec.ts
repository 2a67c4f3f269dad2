import { existsSync, readdirSync, readFileSync } from "node:fs";

import { expect, test } from "@playwright/test";

import { ChatTemplate } from "../../src/text/chat_template.ts";
import { compileJinja } from "../../src/text/jinja.ts";
import { strftime } from "../../src/text/strftime.ts";

const ASSETS = "../shared/assets/chat-templates";
const NO_ASSETS = `real templates are not here (${ASSETS})`;
const TINY = "public/models/hearth-tiny";
// GOLDENS.txt: the time that strftime_now told when the goldens were made.
const GOLDEN_NOW = new Date(2024, 6, 26, 12, 0, 0);

/** What the package renders otherwise than Jinja2, and why; "template case" to reason. */
const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {
  "llama.cpp/Apriel-1.6-15b-Thinker-fixed.jinja tool_use": "the filter `string` on an object (Python's repr) is missing",
  "llama.cpp/meetkai-functionary-medium-v3.1.jinja simple": "`selectattr` on none throws; in Jinja2 it is lazy and never used",
  "llama.cpp/meetkai-functionary-medium-v3.1.jinja system": "`selectattr` on none throws; in Jinja2 it is lazy and never used",
  "llama.cpp/meetkai-functionary-medium-v3.1.jinja tool_use": "`safe` makes Jinja2 escape what is added to it as HTML; the package does not",
};

type Goldens = Record<string, Record<string, { text?: string; error?: string }>>;
interface GoldenInput {
  messages: { role: string; content: string }[];
  [name: string]: unknown;
}

function goldenInput(name: string): GoldenInput {
  return JSON.parse(readFileSync(`${ASSETS}/minja/${name}.json`, "utf8"));
}

function outcome(render: () => string): { text?: string; error?: string } {
  try {
    return { text: render() };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

test.describe("real chat templates", () => {
  test("there are real templates to compare with", () => test.skip(!existsSync(ASSETS), NO_ASSETS));
  const goldens: Goldens = existsSync(ASSETS) ? JSON.parse(readFileSync(`${ASSETS}/goldens.json`, "utf8")) : {};

  test("every real template has goldens", () => {
    const templates = ["llama.cpp", "minja"].flatMap((folder) => (existsSync(ASSETS) ? readdirSync(`${ASSETS}/${folder}`).map((name) => `${folder}/${name}`) : []));
    expect(templates.filter((path) => path.endsWith(".jinja") && goldens[path] === undefined)).toEqual([]);
  });

  for (const [path, cases] of Object.entries(goldens)) {
    test(`${path} renders as Jinja2 renders it`, () => {
      const program = compileJinja(readFileSync(`${ASSETS}/${path}`, "utf8"), path);
      for (const [name, expected] of Object.entries(cases)) {
        const [input, prompt] = name.split("/");
        const context = { ...goldenInput(input), add_generation_prompt: prompt === "gen" };
        const found = outcome(() => program.render(context, GOLDEN_NOW));
        if (`${path} ${input}` in KNOWN_DIFFERENCES) expect(found.text, `${name}: no longer differs`).not.toBe(expected.text);
        else if (expected.error !== undefined) expect(found.error, name).toBeDefined();
        else expect(found, name).toEqual({ text: expected.text });
      }
    });
  }

  // Without tools Hearth passes tools as none, like transformers; these templates need them and had no such variable.
  const plain = Object.entries(goldens).filter(([path]) => !/-tool_use|functionary/.test(path));
  for (const [path, cases] of plain.filter(([, { "simple/gen": golden }]) => golden.text !== undefined)) {
    test(`${path} renders a plain conversation through ChatTemplate, from strings and from text parts`, () => {
      for (const name of ["simple", "system"]) {
        const expected = cases[`${name}/gen`];
        if (expected.text === undefined) continue; // no system role
        const { messages, add_generation_prompt: _, bos_token, eos_token, ...templateOptions } = goldenInput(name);
        const tokenizerConfig = JSON.stringify({ bos_token, eos_token: { content: eos_token } });
        const template = ChatTemplate.from({ jinjaFile: readFileSync(`${ASSETS}/${path}`, "utf8"), tokenizerConfig });
        const parts = messages.map(({ role, content }) => ({ role, content: [{ type: "text" as const, text: content }] }));
        expect(template?.render(messages, { templateOptions, now: GOLDEN_NOW }), name).toBe(expected.text);
        expect(template?.render(parts, { templateOptions, now: GOLDEN_NOW }), name).toBe(expected.text);
      }
    });
  }
});

test.describe("the bundled model's template", () => {
  const jinjaFile = readFileSync(`${TINY}/chat_template.jinja`, "utf8");
  const tokenizerConfig = readFileSync(`${TINY}/tokenizer_config.json`, "utf8");

  test("it renders ChatML and ends with the header of the answer", () => {
    const messages = [{ role: "system", content: "Be brief." }, { role: "user", content: "Hello" }];
    const expected = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n";
    for (const template of [ChatTemplate.from({ jinjaFile }), ChatTemplate.from({ tokenizerConfig })]) {
      expect(template?.render(messages)).toBe(`${expected}<|im_start|>assistant\n`);
      expect(template?.render(messages, { addGenerationPrompt: false })).toBe(expected);
    }
  });

  test("text parts are joined where the template takes only strings, and null content is empty", () => {
    const template = ChatTemplate.from({ jinjaFile });
    const parts = [{ type: "text" as const, text: "a" }, { type: "text" as const, text: "b" }];
    const text = template?.render([{ role: "user", content: parts }, { role: "assistant", content: null }], { addGenerationPrompt: false });
    expect(text).toBe("<|im_start|>user\nab<|im_end|>\n<|im_start|>assistant\n<|im_end|>\n");
  });
});

test.describe("choosing and feeding a template", () => {
  const user = [{ role: "user", content: "hi" }];
  const render = (source: string, options = {}) => ChatTemplate.from({ jinjaFile: source })?.render(user, options);

  test("a checkpoint without a template has none", () => {
    expect(ChatTemplate.from({ tokenizerConfig: "{}" })).toBeUndefined();
    expect(ChatTemplate.from({})).toBeUndefined();
  });

  test("chat_template.jinja wins over tokenizer_config.json, and that over chat_template.json", () => {
    const tokenizerConfig = JSON.stringify({ chat_template: "config" });
    const chatTemplateJson = JSON.stringify({ chat_template: "json" });
    expect(ChatTemplate.from({ jinjaFile: "file", tokenizerConfig, chatTemplateJson })?.source).toBe("file");
    expect(ChatTemplate.from({ tokenizerConfig, chatTemplateJson })?.source).toBe("config");
    expect(ChatTemplate.from({ tokenizerConfig: "{}", chatTemplateJson })?.source).toBe("json");
  });

  test("of named templates, tool_use is for conversations with tools", () => {
    const chat_template = [{ name: "default", template: "plain" }, { name: "tool_use", template: "with {{ tools[0].name }}" }];
    const template = ChatTemplate.from({ tokenizerConfig: JSON.stringify({ chat_template }) });
    expect(template?.render(user)).toBe("plain");
    expect(template?.render(user, { templateOptions: { tools: [{ name: "clock" }] } })).toBe("with clock");
  });

  test("special tokens come from strings and from objects, and absent ones are empty", () => {
    const tokenizerConfig = JSON.stringify({ bos_token: "<s>", eos_token: { content: "</s>" }, pad_token: null });
    const template = ChatTemplate.from({ jinjaFile: "{{ bos_token }}{{ eos_token }}{{ pad_token + unk_token }}!", tokenizerConfig });
    expect(template?.render(user)).toBe("<s></s>!");
  });

  test("tools and documents are none, and options that are not given are undefined", () => {
    expect(render("{{ tools is none }} {{ documents is none }} {{ enable_thinking is defined }}")).toBe("true true false");
    expect(render("{{ enable_thinking is defined }}", { templateOptions: { enable_thinking: false } })).toBe("true");
  });

  test("keys without a value are absent, and tool arguments arrive as objects", () => {
    const template = ChatTemplate.from({
      jinjaFile: "{% for m in messages %}{{ 'name' in m }} {{ m.tool_calls[0].function.arguments | tojson if m.tool_calls }};{% endfor %}",
    });
    const call = { function: { name: "f", arguments: '{"x": 1}' } };
    const text = template?.render([{ role: "user", content: "", name: undefined }, { role: "assistant", content: null, tool_calls: [call] }]);
    expect(text).toBe('false ;false {"x": 1};');
  });

  test("a template that takes only parts is given parts", () => {
    const source = "{% for m in messages %}{% if m.content is not string %}{% for p in m.content %}[{{ p.text }}]{% endfor %}{% endif %}{% endfor %}";
    expect(render(source)).toBe("[hi]");
  });

  test("strip with characters keeps other white space, as in Python", () => {
    const program = compileJinja("<{{ t.lstrip('\\n') }}|{{ t.rstrip('\\n') }}|{{ t.strip('\\n') }}|{{ t.strip() }}>", "test");
    expect(program.render({ t: "\n  a\n" }, GOLDEN_NOW)).toBe("<  a\n|\n  a|  a|a>");
  });

  test("a loop over something undefined runs no times", () => {
    const program = compileJinja("{% for x in nothing %}a{% else %}b{% endfor %}{% for x in no.thing if x %}c{% endfor %}", "test");
    expect(program.render({ no: {} }, GOLDEN_NOW)).toBe("b");
  });

  test("dates are told in English, whatever the locale", () => {
    expect(strftime(new Date(2024, 6, 4, 15, 5, 9), "%d %b %Y, %A %-d %B %y %I:%M:%S %p %H %% %Q")).toBe(
      "04 Jul 2024, Thursday 4 July 24 03:05:09 PM 15 % %Q",
    );
  });
});

test.describe("errors of templates", () => {
  const user = [{ role: "user", content: "hi" }];
  const fails = (run: () => unknown, code: string, message: RegExp) => {
    const error = outcomeError(run);
    expect(error).toMatchObject({ name: "HearthError", code });
    expect(error?.message).toMatch(message);
    return error;
  };
  const outcomeError = (run: () => unknown): Error | undefined => {
    try {
      run();
      return undefined;
    } catch (error) {
      return error as Error;
    }
  };

  test("raise_exception shows its message and keeps it as the cause", () => {
    const template = ChatTemplate.from({ jinjaFile: "{{ raise_exception('roles must alternate') }}" });
    const error = fails(() => template?.render(user), "template", /refuses.*roles must alternate/);
    expect((error?.cause as Error).message).toBe("roles must alternate");
  });

  test("a template that cannot be parsed or evaluated is a template error", () => {
    fails(() => ChatTemplate.from({ jinjaFile: "{% if %}" })?.render(user), "template", /could not be read/);
    fails(() => ChatTemplate.from({ jinjaFile: "{{ messages() }}" })?.render(user), "template", /failed/);
  });

  test("messages of another shape are refused by name", () => {
    const template = ChatTemplate.from({ jinjaFile: "x" });
    const render = (messages: unknown) => () => template?.render(messages as typeof user);
    fails(render("hi"), "invalid-options", /messages: expected an array.*found string/);
    fails(render([]), "invalid-options", /at least one/);
    fails(render([{ content: "hi" }]), "invalid-options", /messages\[0\]\.role/);
    fails(render([{ role: "user" }]), "invalid-options", /messages\[0\]\.content.*undefined/);
    fails(render([{ role: "user", content: [{ type: "image_url" }] }]), "invalid-options", /image_url.*only text/);
  });

  test("template options cannot take the template's own names", () => {
    const template = ChatTemplate.from({ jinjaFile: "x" });
    for (const name of ["messages", "range", "none", "namespace"]) {
      fails(() => template?.render(user, { templateOptions: { [name]: 1 } }), "invalid-options", new RegExp(`"${name}"`));
    }
  });

  test("a chat_template of another shape is a corrupt checkpoint", () => {
    fails(() => ChatTemplate.from({ tokenizerConfig: '{"chat_template": 3}' }), "corrupt-checkpoint", /chat_template/);
    fails(() => ChatTemplate.from({ tokenizerConfig: '{"chat_template": [{"name": "a"}]}' }), "corrupt-checkpoint", /name, template/);
    fails(() => ChatTemplate.from({ tokenizerConfig: "{" }), "corrupt-checkpoint", /tokenizer_config.json: expected JSON/);
  });
});
