// Runs in a page: what a model would take, beside what it takes.
import { loadModel as loadIntoEngine } from "../../src/engine/load_model.ts";
import { checkModel, loadModel, storedModels } from "../../src/index.ts";
import { startText } from "../support/text_on_page.ts";

const BUNDLED = "/models/hearth-tiny/";
const UPLOADER_BYTES = 16 * 2 ** 20 + 32; // gone once a model is loaded

/** Check the bundled model, load it, and check it again. */
export async function checkAndLoad() {
  const before = await checkModel(BUNDLED);
  const storedByLooking = await storedModels.list();
  await using model = await loadModel(BUNDLED);
  const after = await checkModel(BUNDLED);
  return { before, storedByLooking, info: model.info, after };
}

/** Compare the memory foretold with what is allocated. */
export async function foretoldMemory() {
  const options = { contextLength: 128, kvCache: "int8" } as const;
  const { memory } = await checkModel(BUNDLED, options);
  const { device } = await loadIntoEngine(BUNDLED, options, { baseUrl: location.href, startText });
  const { gpu } = await device.part();
  const taken = gpu.allocatedBytes + UPLOADER_BYTES;
  device.destroy();
  return { foretold: memory?.totalBytes, taken };
}

/** Check a checkpoint of a kind that does not exist. */
export async function checkUnknown() {
  return checkModel([new File([JSON.stringify({ model_type: "abacus", architectures: ["Abacus"] })], "config.json")]);
}
