/** A repository worth trying. */
export interface Suggestion {
  id: string;
  /** Download in bytes, approximately. */
  byteLength: number;
  words: string;
}

/** Small chat models on the Hugging Face Hub that run unconverted. */
export const SUGGESTIONS: readonly Suggestion[] = [
  { id: "mlx-community/SmolLM-135M-Instruct-4bit", byteLength: 78e6, words: "Tiny and quick" },
  { id: "mlx-community/Qwen2.5-0.5B-Instruct-4bit", byteLength: 289e6, words: "Small, many languages" },
  { id: "mlx-community/Qwen3-0.6B-4bit", byteLength: 351e6, words: "Small, can reason aloud" },
  { id: "mlx-community/Llama-3.2-1B-Instruct-4bit", byteLength: 713e6, words: "A good all-rounder" },
  { id: "mlx-community/Qwen3-1.7B-4bit", byteLength: 984e6, words: "The most capable here" },
];

/** Things to ask, of the bundled storyteller and of other models. */
export const STARTERS: Readonly<Record<"bundled" | "other", readonly string[]>> = {
  bundled: ["Tell me a story about a fox named Pip.", "What day comes after Monday?", "Tell me a joke.", "What is 3 + 4?"],
  other: [
    "Explain why the sky is blue, in three sentences.",
    "Write a haiku about a fireplace.",
    "What should I cook with eggs, rice and a tomato?",
    "Write a JavaScript function that reverses a string.",
  ],
};

/** What a person would call a model source: "Hearth Tiny", "Qwen3-0.6B-4bit", the name of a picked folder. */
export function sourceName(source: string | readonly File[]): string {
  if (typeof source !== "string") return source[0]?.webkitRelativePath.split("/")[0] || "Local files";
  if (isBundled(source)) return "Hearth Tiny";
  const parts = source.replace(/[?#].*$/, "").replace(/\/resolve\/.*$/, "").split("/").filter(Boolean);
  return parts.at(-1) ?? source;
}

/** Whether a source or id is the bundled model, by relative path or full URL, in whatever version. */
export function isBundled(source: string | readonly File[]): boolean {
  return typeof source === "string" && /(^|\/)models\/hearth-tiny\/?(\?|$)/.test(source);
}
