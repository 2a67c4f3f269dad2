// Runs in a page: what rounding costs, as the distance of every next token's distribution from the exact one.
import { generateTokens } from "../../src/engine/generate_tokens.ts";
import { loadModel } from "../../src/engine/load_model.ts";
import { Runner } from "../../src/engine/runner.ts";
import { createTestedRunner } from "../../src/engine/self_test.ts";
import { plainTraits, type Gpu } from "../../src/gpu/gpu.ts";
import { createKvCache, type KvType } from "../../src/kernels/kv_cache.ts";
import type { Decoder } from "../../src/kernels/layer_steps.ts";
import { chooseSchedule, cutSchedule, usualCut, type InputForm, type Operand, type Schedule } from "../../src/kernels/schedule.ts";
import { resolveSampling } from "../../src/sampling/options.ts";
import { longStreams, takesForm, testedSchedules } from "../kernels/kernel_runs.ts";
import { startText } from "../support/text_on_page.ts";
import { logSumExp } from "./logits.page.ts";

/** A checkpoint, and a text to read to it. */
export interface Reading {
  source: string;
  text: string;
  /** As the option of loadModel. */
  quantize?: "q4" | "q8";
}

/** How far one set of logits is from another, over all rows. */
export interface Divergence {
  rows: number;
  /** Mean Kullback-Leibler divergence of the next token's distributions. */
  mean: number;
  /** Share of rows with the same most likely token. */
  sameBest: number;
}

/** A loaded checkpoint, and what it says of a text where nothing is rounded: prefilled, over an f32 cache. */
interface Subject {
  gpu: Gpu;
  decoder: Decoder;
  tokenIds: readonly number[];
  exact: Float32Array;
}

const TOKENS = 512;
const kept = new Map<string, Promise<Subject>>();

/** Decode the text's tokens one by one, as they stand, over a cache of this kind. */
export async function decoded({ kvCache, ...reading }: Reading & { kvCache: KvType }): Promise<Divergence> {
  const { gpu, decoder, tokenIds, exact } = await subject(reading);
  const runner = await runnerOver(gpu, decoder, kvCache);
  return divergence(await decodedLogits(runner, tokenIds), exact, decoder.spec.vocabSize);
}

async function decodedLogits(runner: Runner, tokenIds: readonly number[]): Promise<Float32Array> {
  const { vocabSize } = runner.decoder.spec;
  const found = new Float32Array(tokenIds.length * vocabSize);
  // Awaited together: some browsers take a tenth of a second to notice that a read is done.
  await Promise.all(tokenIds.map(async (tokenId, position) => found.set(await runner.forward(tokenId, position), position * vocabSize)));
  return found;
}

/** Decode the text's tokens one by one, with the inputs of products kept in this way; undefined where the adapter cannot. */
export async function decodedAs({ operand, ...reading }: Reading & { operand: Operand }): Promise<Divergence | undefined> {
  const { gpu, decoder, tokenIds, exact } = await subject(reading);
  const { processor, [operand]: kept } = testedSchedules(gpu);
  if (!kept) return undefined;
  const products = cutSchedule({ ...usualCut(plainTraits(gpu.traits)), workgroup: 32, rowsPerStream: 4 }, gpu.traits);
  const rowStreams = longStreams(products, 64); // few threads: a processor plays them
  const schedule: Schedule = { ...processor, ...products, rowStreams, subgroups: kept.subgroups, operand, preparesNorms: true };
  const runner = await createTestedRunner(gpu, [schedule], decoder, TOKENS, Promise.resolve());
  return divergence(await decodedLogits(runner, tokenIds), exact, decoder.spec.vocabSize);
}

/** Prefill the text's tokens, with the inputs of products packed into this form; undefined where the adapter cannot. */
export async function prefilledPacked({ inputForm, ...reading }: Reading & { inputForm: InputForm }): Promise<Divergence | undefined> {
  const { gpu, decoder, tokenIds, exact } = await subject(reading);
  if (!takesForm(gpu, inputForm)) return undefined;
  const packed = await Runner.create(gpu, { ...chooseSchedule(gpu.traits), inputForm }, decoder, TOKENS);
  return divergence(await packed.logits(tokenIds), exact, decoder.spec.vocabSize);
}

/** Answer the text's first tokens greedily, twice: the tokens of each answer, and the bits of the logits after it. */
export async function greedyTwice({ promptTokens, maxTokens, ...reading }: Reading & { promptTokens: number; maxTokens: number }): Promise<{ tokenIds: number[]; logits: number[] }[]> {
  const { gpu, decoder, tokenIds } = await subject(reading);
  const runner = await runnerOver(gpu, decoder, "f16");
  const promptIds = tokenIds.slice(0, promptTokens);
  const answers: { tokenIds: number[]; logits: number[] }[] = [];
  for (let run = 0; run < 2; run++) {
    const request = { promptIds, cachedTokens: 0, sampling: resolveSampling({ temperature: 0 }), maxTokens, stopIds: new Set<number>(), signal: new AbortController().signal };
    const answer: number[] = [];
    for await (const ids of generateTokens(gpu, runner, request)) answer.push(...ids);
    const logits = await runner.forward(answer[answer.length - 1], promptIds.length + answer.length - 1);
    answers.push({ tokenIds: answer, logits: [...new Uint32Array(logits.buffer)] });
  }
  return answers;
}

async function runnerOver(gpu: Gpu, decoder: Decoder, kvCache: KvType): Promise<Runner> {
  const cache = await createKvCache(gpu, decoder.spec, kvCache, TOKENS, 1);
  return Runner.create(gpu, chooseSchedule(gpu.traits), { ...decoder, cache }, TOKENS);
}

function subject(reading: Reading): Promise<Subject> {
  const key = `${reading.source} ${reading.quantize}`;
  const loaded = kept.get(key) ?? loadSubject(reading);
  kept.set(key, loaded);
  return loaded;
}

async function loadSubject({ source, text, quantize }: Reading): Promise<Subject> {
  const loaded = await loadModel(source, { quantize, kvCache: "f32", contextLength: TOKENS }, { baseUrl: location.href, startText });
  if (!loaded.text) throw new Error(`${source}: expected a tokenizer, found none`);
  const all = await loaded.text.host.encode(text, { addSpecialTokens: true, signal: new AbortController().signal });
  loaded.text.host.close();
  const tokenIds = all.slice(0, TOKENS);
  if (tokenIds.length < TOKENS) throw new Error(`expected a text of ${TOKENS} tokens, found ${tokenIds.length}`);
  const { gpu, runner } = await loaded.device.part();
  const schedule = chooseSchedule(gpu.traits);
  const reference = schedule.inputForm !== "f32" ? await Runner.create(gpu, { ...schedule, inputForm: "f32" }, runner.decoder, TOKENS) : runner;
  return { gpu, decoder: runner.decoder, tokenIds, exact: await reference.logits(tokenIds) };
}

function divergence(found: Float32Array, exact: Float32Array, width: number): Divergence {
  const rows = exact.length / width;
  const result = { rows, mean: 0, sameBest: 0 };
  for (let begin = 0; begin < exact.length; begin += width) {
    const [own, other] = [found.subarray(begin, begin + width), exact.subarray(begin, begin + width)];
    const [ownSum, otherSum] = [logSumExp(own), logSumExp(other)];
    for (const [i, value] of other.entries()) result.mean += (Math.exp(value - otherSum) * (value - otherSum - own[i] + ownSum)) / rows;
    if (own.indexOf(Math.max(...own)) === other.indexOf(Math.max(...other))) result.sameBest += 1 / rows;
  }
  return result;
}
