// The text worker's entry: the engine's worker starts it, and ends it when a checkpoint's template or pattern does not come to an end.
import { expose } from "comlink";

import { TextService } from "../text/text_service.ts";
import { installErrorTransfer } from "./transfer.ts";

installErrorTransfer();
expose(new TextService());
