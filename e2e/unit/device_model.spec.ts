import { expect, test } from "@playwright/test";

import { DeviceModel, type DevicePart } from "../../src/engine/device_model.ts";
import { HearthError, type HearthErrorCode } from "../../src/errors.ts";

const error = (code: HearthErrorCode) => new HearthError(code, `a test's ${code}`);

/** What stands for a device here: it may have a fault, and tells whether it was given back. */
class FakeGpu {
  fault: HearthError | undefined;
  isDestroyed = false;
  explain = async (failure: unknown) => this.fault ?? failure;
  destroy = () => void (this.isDestroyed = true);
}

/** A model whose builds are counted, on a clock that the test sets; `fail` makes the next builds fail. */
function setting() {
  const clock = { now: 0 };
  const gpus: FakeGpu[] = [];
  const failures: HearthError[] = [];
  const build = async () => {
    const failure = failures.shift();
    if (failure) throw failure;
    gpus.push(new FakeGpu());
    return { gpu: gpus[gpus.length - 1] } as unknown as DevicePart; // the runner is not looked at
  };
  return { clock, gpus, failures, model: new DeviceModel(build, () => clock.now) };
}

test("a call that loses its device runs again on another, once in two minutes", async () => {
  const { clock, gpus, model } = setting();
  let losses = 1;
  const work = async () => {
    if (losses-- > 0) throw (gpus[gpus.length - 1].fault = error("device-lost"));
    return "done";
  };
  expect(await model.run(work)).toBe("done");
  expect(gpus.map(({ isDestroyed }) => isDestroyed)).toEqual([true, false]);
  losses = 1;
  clock.now += 60_000;
  await expect(model.run(work)).rejects.toMatchObject({ code: "device-lost", retryable: true, message: expect.stringMatching(/twice within two minutes/) });
  expect(gpus).toHaveLength(2);
  losses = 0;
  expect(await model.run(work)).toBe("done"); // whoever asks again gets a new device
  expect(gpus).toHaveLength(3);
  losses = 1;
  clock.now += 120_000;
  expect(await model.run(work)).toBe("done");
  expect(gpus).toHaveLength(4);
});

test("a call that fails for another reason is not made again", async () => {
  const { gpus, model } = setting();
  await expect(model.run(async () => Promise.reject(error("invalid-options")))).rejects.toMatchObject({ code: "invalid-options" });
  expect(gpus).toHaveLength(1);
});

test("a call after a GPU error finds a new device", async () => {
  const { gpus, model } = setting();
  await model.part();
  gpus[0].fault = error("gpu");
  await model.part();
  expect(gpus.map(({ isDestroyed }) => isDestroyed)).toEqual([true, false]);
});

test("a device lost in the first build is replaced, and one lost in the second ends the load", async () => {
  const { gpus, failures, model } = setting();
  failures.push(error("device-lost"));
  await model.part();
  expect(gpus).toHaveLength(1);
  const other = setting();
  other.failures.push(error("device-lost"), error("device-lost"));
  await expect(other.model.part()).rejects.toMatchObject({ code: "device-lost" });
});

test("a browser without another adapter has lost the device", async () => {
  const { gpus, failures, model } = setting();
  await model.part();
  gpus[0].fault = error("device-lost");
  failures.push(error("no-webgpu"));
  await expect(model.part()).rejects.toMatchObject({ code: "device-lost", message: expect.stringMatching(/two minutes/) });
});
