"""The model: a small Qwen3 decoder whose parameters carry the names of the checkpoint."""

import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIG = {
    "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": 7168, "hidden_size": 384, "intermediate_size": 1024,
    "num_hidden_layers": 8, "num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 64, "hidden_act": "silu", "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0, "rope_scaling": None, "max_position_embeddings": 1024, "tie_word_embeddings": True, "attention_bias": False,
    "attention_dropout": 0.0, "use_sliding_window": False, "sliding_window": None, "initializer_range": 0.02, "use_cache": True,
    "bos_token_id": None, "eos_token_id": 2, "pad_token_id": 0, "torch_dtype": "float16",
}
HIDDEN, HEADS, KV_HEADS, SIZE = CONFIG["hidden_size"], CONFIG["num_attention_heads"], CONFIG["num_key_value_heads"], CONFIG["head_dim"]


class Norm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return F.rms_norm(x.float(), (x.shape[-1],), self.weight, CONFIG["rms_norm_eps"]).to(x.dtype)


def linear(inner, outer):
    return nn.Linear(inner, outer, bias=False)


def rotate(x, cos, sin):
    a, b = x.float().chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1).to(x.dtype)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj, self.o_proj = linear(HIDDEN, HEADS * SIZE), linear(HEADS * SIZE, HIDDEN)
        self.k_proj, self.v_proj = linear(HIDDEN, KV_HEADS * SIZE), linear(HIDDEN, KV_HEADS * SIZE)
        self.q_norm, self.k_norm = Norm(SIZE), Norm(SIZE)

    def forward(self, x, cos, sin):
        rows, length, _ = x.shape
        q = rotate(self.q_norm(self.q_proj(x).view(rows, length, HEADS, SIZE).transpose(1, 2)), cos, sin)
        k = rotate(self.k_norm(self.k_proj(x).view(rows, length, KV_HEADS, SIZE).transpose(1, 2)), cos, sin)
        v = self.v_proj(x).view(rows, length, KV_HEADS, SIZE).transpose(1, 2)
        k, v = (t.repeat_interleave(HEADS // KV_HEADS, 1) for t in (k, v))
        y = F.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v, is_causal=True)
        return self.o_proj(y.transpose(1, 2).reshape(rows, length, HEADS * SIZE))


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        inner = CONFIG["intermediate_size"]
        self.gate_proj, self.up_proj, self.down_proj = linear(HIDDEN, inner), linear(HIDDEN, inner), linear(inner, HIDDEN)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attn, self.mlp = Attention(), Mlp()
        self.input_layernorm, self.post_attention_layernorm = Norm(HIDDEN), Norm(HIDDEN)

    def forward(self, x, cos, sin):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(CONFIG["vocab_size"], HIDDEN)
        self.layers = nn.ModuleList(Layer() for _ in range(CONFIG["num_hidden_layers"]))
        self.norm = Norm(HIDDEN)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = Decoder()
        inverse = CONFIG["rope_theta"] ** (-torch.arange(0, SIZE, 2).float() / SIZE)
        angles = torch.outer(torch.arange(CONFIG["max_position_embeddings"]).float(), inverse)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                scale = 0.02 if "embed" in name else 0.5 * p.shape[1] ** -0.5
                nn.init.normal_(p, std=0.0 if name.endswith(("o_proj.weight", "down_proj.weight")) else scale)

    def hidden(self, ids):
        x = self.model.embed_tokens(ids)
        cos, sin = self.cos[:ids.shape[1]], self.sin[:ids.shape[1]]
        for layer in self.model.layers:
            x = layer(x, cos, sin)
        return self.model.norm(x)

    def forward(self, ids):
        return self.hidden(ids) @ self.model.embed_tokens.weight.T
