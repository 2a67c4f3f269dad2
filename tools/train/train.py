"""Trains the model for a fixed time and writes the checkpoint, its measurements and samples.

    python train.py MODEL_FOLDER BOOKS_FOLDER --seconds 100

Worker processes write stories and chats while the accelerator learns from them, so almost no row is seen twice.
"""

import argparse
import json
import math
import multiprocessing
import os
import threading
import time

import torch
import torch.nn.functional as F

import data
from evaluate import evaluate
from export_mlx import export
from model import Model
from quantise import bits_of, rounded

ROUNDING_STARTS = 0.82   # share of the time after which the weights are rounded in the forward pass
DECAY_STARTS = 0.45
MUON_RATE, ADAM_RATE = 0.02, 0.003


class Feed:
    """Keeps shards coming; hands out batches, and goes back to a random old shard when no new one is ready."""

    def __init__(self, folder, books, device, workers):
        self.device, self.ready, self.made, self.repeats = device, [], 0, 0
        self.pool = multiprocessing.get_context("fork").Pool(workers, lower_priority, (folder, books))
        threading.Thread(target=self.collect, daemon=True).start()
        self.generator = torch.Generator().manual_seed(1)

    def collect(self):
        for rows in self.pool.imap(data.shard, (f"train {i}" for i in range(100000))):
            self.ready.append(torch.from_numpy(rows.astype("int32")))
            self.made += 1
            while len(self.ready) > 3000:
                time.sleep(0.2)

    def batches(self, size):
        at = 0
        while True:
            while not self.ready:
                time.sleep(0.05)
            fresh = at < len(self.ready)
            index = at if fresh else int(torch.randint(len(self.ready), (1,), generator=self.generator))
            at += fresh
            self.repeats += not fresh
            rows = self.ready[index].to(self.device, non_blocking=True).long()
            for piece in rows.split(size):
                if len(piece) == size:
                    yield piece


def lower_priority(folder, books):
    os.nice(5)
    data.start(folder, books)


def orthogonal(g):
    """Newton-Schulz steps that bring the singular values of a stack of matrices near one."""
    tall = g.shape[-2] > g.shape[-1]
    x = g.bfloat16()
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
    return x.mT if tall else x


class Muon:
    """Momentum whose update is made orthogonal, for the matrices inside the layers; equal shapes go together."""

    def __init__(self, parameters):
        shapes = {}
        for p in parameters:
            shapes.setdefault(p.shape, []).append(p)
        self.groups = [(ps, torch.zeros(len(ps), *shape, device=ps[0].device)) for shape, ps in shapes.items()]

    @torch.no_grad()
    def step(self, rate, momentum):
        for parameters, velocity in self.groups:
            grads = torch.stack([p.grad for p in parameters])
            velocity.lerp_(grads, 1 - momentum)
            update = orthogonal(grads.lerp(velocity, momentum)).float()
            rows, columns = update.shape[-2:]
            torch._foreach_add_(parameters, list(update.unbind()), alpha=-rate * max(1, rows / columns) ** 0.5)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("folder")
    args.add_argument("books")
    args.add_argument("--seconds", type=float, default=400)
    args.add_argument("--batch", type=int, default=64)
    args.add_argument("--workers", type=int, default=10)
    args.add_argument("--out", default=None)
    args.add_argument("--no-compile", action="store_true")
    args = args.parse_args()
    out = args.out or args.folder
    device = "cuda" if torch.cuda.is_available() else "cpu"
    feed = Feed(args.folder, args.books, device, args.workers)
    torch.manual_seed(1)
    torch.set_float32_matmul_precision("high")
    model = Model().to(device)
    embedding = model.model.embed_tokens.weight
    named = dict(model.named_parameters())
    matrices = [p for name, p in named.items() if p.ndim == 2 and p is not embedding]
    muon = Muon(matrices)
    adam = torch.optim.AdamW([embedding] + [p for p in named.values() if p.ndim == 1], lr=ADAM_RATE, betas=(0.9, 0.95), weight_decay=0.0, fused=device == "cuda")

    def loss_of(hidden, weight, targets):
        return F.cross_entropy((hidden @ weight.T.to(hidden.dtype)).float().flatten(0, 1), targets.flatten())

    round_weight = rounded
    if not args.no_compile:
        for layer in model.model.layers:
            layer.compile()
        loss_of, round_weight = torch.compile(loss_of), torch.compile(rounded)

    quantised = [(p, bits_of(name)) for name, p in named.items() if bits_of(name)]
    begun, step, clock = time.time(), 0, None
    log = []
    for rows in feed.batches(args.batch):
        share = 0.0 if clock is None else (time.time() - clock) / args.seconds
        if share >= 1:
            break
        rate = min(1.0, (step + 1) / 100) * min(1.0, (1 - share) / (1 - DECAY_STARTS))
        exact = None
        if share > ROUNDING_STARTS or step == 2:   # step 2 only compiles the rounding
            exact = [p.detach().clone() for p, _ in quantised]
            for p, bits in quantised:
                p.data.copy_(round_weight(p.data, bits))
        with torch.autocast(device, torch.bfloat16):
            hidden = model.hidden(rows[:, :-1])
            loss = loss_of(hidden.bfloat16(), embedding, rows[:, 1:])
        loss.backward()
        if exact:   # the gradient passes straight through the rounding
            for (p, _), e in zip(quantised, exact):
                p.data.copy_(e)
        for group in adam.param_groups:
            group["lr"] = ADAM_RATE * rate
        adam.step()
        muon.step(MUON_RATE * rate, min(0.95, 0.85 + 0.1 * step / 300))
        model.zero_grad(set_to_none=True)
        step += 1
        if step == 4:
            loss.item()
            clock = time.time()
            print(f"compiled in {clock - begun:.1f} s", flush=True)
        if step % 20 == 0:
            value = loss.item()
            log.append((step, value))
            if step % 400 == 0:
                print(f"{step:6d}  loss {value:.4f}  share {share:.3f}  rate {rate:.3f}  tokens/s {(step - 4) * args.batch * 1024 / (time.time() - clock):,.0f}  shards {feed.made}", flush=True)
    if device == "cuda":
        torch.cuda.synchronize()
    seconds, tokens = time.time() - clock, step * args.batch * 1024
    feed.pool.terminate()
    report = {"parameters": sum(p.numel() for p in named.values()), "tokens": tokens, "repeated_tokens": feed.repeats * data.ROWS * 1024, "steps": step, "batch_rows": args.batch,
              "seconds": round(seconds, 1), "tokens_per_second": round(tokens / seconds), "compile_seconds": round(clock - begun, 1),
              "device": torch.cuda.get_device_name() if device == "cuda" else "cpu", "torch": torch.__version__, "loss": log[-50:]}
    assert all(math.isfinite(v) for _, v in log)
    weights = {name: p.detach().float().cpu() for name, p in named.items()}
    export(weights, out)
    report |= evaluate(weights, args.folder, out, args.books, device)
    with open(f"{out}/report.json", "w") as f:
        json.dump(report, f, indent=1)


if __name__ == "__main__":
    main()
