"""MLX affine quantisation: groups of 64 along the inner dimension, scale and bias stored as float16."""

import torch

GROUP = 64


def bits_of(name):
    """How many bits a parameter is stored with, or None for the norms."""
    return None if "norm" in name else 8 if "embed_tokens" in name else 4


def affine(weight, bits):
    """Returns codes [out, in/64, 64], scales and biases [out, in/64, 1] (both float16 values held in float32)."""
    w = weight.float().unflatten(-1, (-1, GROUP))
    top = 2 ** bits - 1
    high, low = w.amax(-1, keepdim=True), w.amin(-1, keepdim=True)
    scale = ((high - low) / top).clamp_min(1e-7)
    side = low.abs() > high.abs()
    scale = torch.where(side, scale, -scale)
    edge = torch.where(side, low, high)
    steps = (edge / scale).round()
    scale = torch.where(steps != 0, edge / steps, scale).half().float()
    bias = torch.where(steps != 0, edge, torch.zeros_like(edge)).half().float()
    codes = ((w - bias) / scale).round().clamp(0, top)
    return codes, scale, bias


def rounded(weight, bits):
    """The weight as it reads back from the checkpoint."""
    codes, scale, bias = affine(weight, bits)
    return (codes * scale + bias).flatten(-2)
