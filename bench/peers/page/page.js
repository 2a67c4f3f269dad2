// Measures one runtime at one shape, as the address says, and sends the outcome to the server that wrote the models.
const query = new URLSearchParams(location.search);
const runtime = query.get("runtime");
const numbers = Object.fromEntries(["prefill", "context", "tokens", "repeats"].map((name) => [name, Number(query.get(name))]));

async function requestAdapter() {
  // The first request in a fresh browser may get null while the GPU process is being replaced.
  for (let attempt = 0; attempt < 12; attempt++) {
    const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
    if (adapter) return adapter;
    await new Promise((resolve) => setTimeout(resolve, 700));
  }
  throw new Error("WebGPU: expected an adapter, found none");
}

/** Measure prefill of one prompt length and decoding behind another: the median of some repeats after a warm-up. */
async function measure({ prefill, context, tokens, repeats }) {
  const adapter = await requestAdapter();
  const halves = adapter.features.has("shader-f16");
  const { vendor, architecture, description } = adapter.info;
  const { open } = await import(`./${runtime}.js`);
  const shape = JSON.parse(query.get("shape"));
  const started = performance.now();
  const peer = await open({ shape, halves, modelUrl: (kind) => ensureModel(shape.name, kind), variant: query.get("variant") });
  const loadMs = performance.now() - started;
  const prefills = [];
  const decodes = [];
  const decodeTokens = tokens + 1; // the first comes with the prompt
  await peer.run(prefill, 2);
  for (let i = 0; i < repeats; i++) prefills.push(prefill / ((await peer.run(prefill, 2)).firstTokenMs / 1000));
  await peer.run(context, Math.min(decodeTokens, 9));
  for (let i = 0; i < repeats; i++) decodes.push((await peer.run(context, decodeTokens)).decodeTokensPerSecond);
  return {
    version: peer.version,
    details: peer.details,
    adapter: [vendor, architecture, description].filter(Boolean).join(" "),
    loadMs,
    prefillTokensPerSecond: summary(prefills),
    decodeTokensPerSecond: summary(decodes),
  };
}

function summary(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)], least: sorted[0], most: sorted.at(-1) };
}

async function ensureModel(name, kind) {
  const response = await fetch(`/write?shape=${name}&kind=${kind}`, { method: "POST" });
  if (!response.ok) throw new Error(await response.text());
  return response.text();
}

async function report() {
  try {
    return await measure(numbers);
  } catch (error) {
    return { error: `${error?.name ?? "thrown value"}: ${error?.message ?? error}` };
  }
}

const outcome = await report();
const answer = await fetch("/report", { method: "POST", body: JSON.stringify(outcome) });
const next = await answer.text(); // the next runtime takes this page's place, and this one's memory is given back
if (next) location.replace(next);
