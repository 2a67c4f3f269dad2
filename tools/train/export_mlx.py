"""Writes config.json, generation_config.json and model.safetensors in the MLX 4-bit form, and reads such a file back."""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from model import CONFIG
from quantise import GROUP, affine, bits_of, rounded

QUANTISATION = {"group_size": GROUP, "bits": 4, "mode": "affine", "model.embed_tokens": {"group_size": GROUP, "bits": 8}}
GENERATION = {"do_sample": True, "temperature": 0.7, "top_k": 40, "top_p": 0.95, "bos_token_id": None, "eos_token_id": [2, 0], "pad_token_id": 0, "max_new_tokens": 400}


def pack(codes, bits):
    """Packs codes [out, in] into little-endian words [out, in * bits / 32]."""
    per_word = 32 // bits
    grouped = codes.astype(np.uint32).reshape(codes.shape[0], -1, per_word)
    shifts = np.arange(per_word, dtype=np.uint32) * np.uint32(bits)
    return np.bitwise_or.reduce(grouped << shifts, axis=-1).astype(np.uint32)


def unpack(words, bits):
    shifts = np.arange(32 // bits, dtype=np.uint32) * np.uint32(bits)
    return ((words[..., None] >> shifts) & np.uint32(2 ** bits - 1)).reshape(words.shape[0], -1)


def export(weights, folder):
    tensors = {}
    for name, weight in weights.items():
        bits = bits_of(name)
        if bits is None:
            tensors[name] = weight.numpy().astype(np.float32)
            continue
        codes, scales, biases = affine(weight, bits)
        module = name.removesuffix(".weight")
        tensors[f"{module}.weight"] = pack(codes.flatten(-2).numpy(), bits)
        tensors[f"{module}.scales"] = scales.squeeze(-1).numpy().astype(np.float16)
        tensors[f"{module}.biases"] = biases.squeeze(-1).numpy().astype(np.float16)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors", {"format": "mlx"})
    config = CONFIG | {"quantization": QUANTISATION, "quantization_config": QUANTISATION}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "generation_config.json").write_text(json.dumps(GENERATION, indent=2) + "\n")
    back = read_back(folder)
    for name, weight in weights.items():
        expected = rounded(weight, bits_of(name)) if bits_of(name) else weight
        assert np.array_equal(back[name], expected.numpy()), name


def read_back(folder):
    """The tensors of an exported folder as float32, by their Hugging Face names."""
    folder = Path(folder)
    quantisation = json.loads((folder / "config.json").read_text())["quantization"]
    stored, out = load_file(folder / "model.safetensors"), {}
    for name, tensor in stored.items():
        if name.endswith((".scales", ".biases")):
            continue
        module = name.removesuffix(".weight")
        if f"{module}.scales" not in stored:
            out[name] = tensor.astype(np.float32)
            continue
        codes = unpack(tensor, quantisation.get(module, quantisation)["bits"]).astype(np.float32).reshape(tensor.shape[0], -1, GROUP)
        scales, biases = (stored[f"{module}.{part}"].astype(np.float32)[..., None] for part in ("scales", "biases"))
        out[name] = (codes * scales + biases).reshape(tensor.shape[0], -1)
    return out


def as_torch(tensors):
    return {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
