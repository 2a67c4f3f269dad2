// Runs in a page: small results that this browser keeps.
import { openKeptResults } from "../../src/storage/kept_results.ts";
import { listStoredModels } from "../../src/storage/stored_models.ts";

/** Keep results of two versions under one name, and one under another; tells what is there on reopening. */
export async function keepTwoVersions() {
  const kept = openKeptResults();
  if (!kept) throw new Error("this page has no storage");
  await kept.put("place", "1", { workgroup: 64 });
  const first = { own: await kept.get("place", "1"), other: await kept.get("place", "2") };
  await kept.put("elsewhere", "1", "untouched");
  await kept.put("place", "2", { workgroup: 256 });
  const reopened = openKeptResults();
  const then = { older: await reopened?.get("place", "1"), newer: await reopened?.get("place", "2"), elsewhere: await reopened?.get("elsewhere", "1") };
  return { first, then, models: await listStoredModels() };
}
