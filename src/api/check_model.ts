import { transfer } from "comlink";

import type { FitReport, LoadOptions, ModelSource } from "../worker/protocol.ts";
import { withAborter } from "../worker/transfer.ts";
import { refuseUnknownOptions } from "./known_options.ts";
import type { Abortable } from "./language_model.ts";
import { inShortLivedWorker } from "./supervisor.ts";

/**
 * Find out whether a checkpoint runs on this machine with these options, and what it takes, before anything large moves:
 * its config and the headers of its files are read, and nothing is stored.
 */
export async function checkModel(source: ModelSource, options: LoadOptions & Abortable = {}): Promise<FitReport> {
  refuseUnknownOptions("checkModel", options);
  const { signal = new AbortController().signal, ...loadOptions } = options;
  signal.throwIfAborted();
  const baseUrl = globalThis.document?.baseURI ?? location.href; // an inlined worker has no base to resolve against
  return inShortLivedWorker((remote) => withAborter(signal, (aborter) => remote.checkModel(source, loadOptions, baseUrl, transfer(aborter, [aborter]))));
}
