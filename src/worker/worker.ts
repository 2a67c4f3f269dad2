// The worker's entry: everything that computes or stores runs behind this line.
import { expose } from "comlink";

import { EngineHost } from "./engine_host.ts";
import { installErrorTransfer } from "./transfer.ts";

installErrorTransfer();
expose(new EngineHost());

// Unlike an uncaught error, a rejection nobody awaits is not reported to the page by itself.
addEventListener("unhandledrejection", (event) => console.error("Hearth: unhandled rejection in the worker:", event.reason));
