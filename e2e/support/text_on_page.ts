import { textStarter } from "../../src/worker/text_host.ts";
import { openTextSpawner } from "../../src/api/text_spawner.ts";

/** Start text workers for an engine that runs on the page itself. */
export const startText = textStarter(openTextSpawner().port);
