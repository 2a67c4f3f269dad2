// The text worker's entry: started for the engine's worker, which has it ended when a checkpoint's template or pattern does not come to an end.
import { expose } from "comlink";

import { TextService } from "../text/text_service.ts";
import { installErrorTransfer } from "./transfer.ts";

installErrorTransfer();
addEventListener("message", ({ data: service }: MessageEvent<MessagePort>) => expose(new TextService(), service), { once: true });
