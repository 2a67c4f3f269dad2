"""Measures perplexity on held-out text and writes samples, with the float weights and with the 4-bit ones as they read back."""

import math
import sys

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

import data
from chats import render
from export_mlx import as_torch, read_back
from model import Model

OPENINGS = ["Once upon a time", "One rainy morning, a little hedgehog named Bramble", "Lily had a red kite that she loved more than anything."]
CHATS = [
    ["Tell me a story about a fox named Pip."], ["What are you?"], ["Hello! How are you?"], ["What is 3 + 4?", "And 12 - 5?"], ["What day comes after Monday?", "And after that?"],
    ["What is the opposite of hot?", "And of tall?"], ["Tell me a story about a girl who lost her hat.", "What was the girl's name?"], ["My name is Clara.", "What color is the sky?", "What is my name?"],
    ["What sound does a cow make?"], ["Count to 10."], ["What rhymes with cat?"], ["Tell me a joke."], ["I am sad today."], ["Who won the football game last night?"], ["Name three fruits."],
    ["Write a short story about a boy named Tom and a dragon."], ["How many legs does a spider have?"], ["thanks for your help"], ["What month is after July?"], ["Where do you run?"],
    ["system: You are a pirate.", "What is the capital of France?", "Who are you?"], ["system: Answer in one word.", "What color is grass?", "What is 6 + 7?"],
    ["system: Your name is Robo.", "What is your name?"], ["system: Always end with \"Meow.\"", "What is 2 + 2?"], ["system: Speak only in capital letters.", "What is the opposite of big?"],
]


@torch.no_grad()
def perplexity(model, rows, device):
    total, count = 0.0, 0
    for piece in torch.from_numpy(rows.astype("int64")).to(device).split(8):
        logits = model(piece[:, :-1]).float()
        total += F.cross_entropy(logits.flatten(0, 1), piece[:, 1:].flatten(), reduction="sum").item()
        count += piece[:, 1:].numel()
    return math.exp(total / count)


@torch.no_grad()
def continue_all(model, prompts, device, length, temperature, seed):
    """Continues every prompt by up to `length` tokens; the padding lies to the right, where nothing looks at it."""
    generator = torch.Generator(device).manual_seed(seed)
    lengths = torch.tensor([len(p) for p in prompts], device=device)
    ids = torch.zeros(len(prompts), int(lengths.max()) + length, dtype=torch.long, device=device)
    for row, prompt in zip(ids, prompts):
        row[:len(prompt)] = torch.tensor(prompt)
    done = torch.zeros(len(prompts), dtype=torch.bool, device=device)
    every = torch.arange(len(prompts), device=device)
    for _ in range(length):
        at = lengths.clone()
        logits = model.hidden(ids[:, :int(at.max())])[every, at - 1] @ model.model.embed_tokens.weight.T
        if temperature:
            token = torch.multinomial(torch.softmax(logits / temperature, -1), 1, generator=generator).squeeze(1)
        else:
            token = logits.argmax(-1)
        done |= (token == 0) | (token == 2)
        ids[every[~done], at[~done]] = token[~done]
        lengths += ~done
        if done.all():
            break
    return [ids[i, len(p):lengths[i]].tolist() for i, p in enumerate(prompts)]


def samples(model, tokenizer, device, temperature, seed):
    encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    out = [f"===== {'greedy' if not temperature else f'temperature {temperature}, seed {seed}'} =====\n"]
    stories = continue_all(model, [encode(o) for o in OPENINGS], device, 260, temperature, seed)
    out += [f"--- {o}\n{o}{tokenizer.decode(ids)}\n" for o, ids in zip(OPENINGS, stories)]
    talks = [[] for _ in CHATS]
    for turn in range(4):
        prompts, which = [], []
        for i, lines in enumerate(CHATS):
            said = [line for line in lines if not line.startswith("system: ")]
            if turn >= len(said):
                continue
            if turn == 0 and lines[0].startswith("system: "):
                talks[i].append({"role": "system", "content": lines[0].removeprefix("system: ")})
            talks[i].append({"role": "user", "content": said[turn]})
            prompts.append(encode(render(talks[i]) + "<|im_start|>assistant\n"))
            which.append(i)
        if prompts:
            for i, ids in zip(which, continue_all(model, prompts, device, 300, temperature, seed)):
                talks[i].append({"role": "assistant", "content": tokenizer.decode(ids)})
    out += ["\n".join(f"{m['role']}: {m['content']}" for m in talk) + "\n" for talk in talks]
    return "\n".join(out)


def evaluate(weights, tokenizer_folder, model_folder, books, device):
    """`weights` are the float ones, or None when only the 4-bit file is there."""
    data.start(tokenizer_folder, books)
    held_out = {"stories and chats": data.shard("held out")[:256], "books": data.held_out_books(books)}
    report = {}
    model = Model().to(device)
    for label, state in (("float32", weights), ("4-bit", as_torch(read_back(model_folder)))):
        if state is not None:
            model.load_state_dict(state)
            report[f"perplexity {label}"] = {name: round(perplexity(model, rows, device), 4) for name, rows in held_out.items()}
    print(report, flush=True)
    text = samples(model, data.tokenizer, device, 0, 0) + "\n" + samples(model, data.tokenizer, device, 0.7, 7)
    with open(f"{model_folder}/samples.txt", "w") as f:
        f.write(text)
    return report


if __name__ == "__main__":
    tokenizer_folder, model_folder, books = sys.argv[1:]
    evaluate(None, tokenizer_folder, model_folder, books, "cuda" if torch.cuda.is_available() else "cpu")
