"""Trains the byte-level BPE tokenizer on stories, chats and books, and writes its files in Hugging Face layout.

    python tokenizer.py MODEL_FOLDER BOOKS_FOLDER
"""

import json
import random
import sys
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from books import read_books
from chats import chat
from stories import Story

VOCABULARY = 7168
END_OF_TEXT, IM_START, IM_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = """{%- for message in messages %}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""


def texts(books):
    rng = random.Random("tokenizer")
    for _ in range(16000):
        yield Story(rng).text
    for _ in range(40000):
        yield from (m["content"] for m in chat(rng))
    for _ in range(4000):
        yield from (m["content"].upper() for m in chat(rng) if len(m["content"]) < 120)
    for train, _ in read_books(books):
        yield from train.split("\n\n")


def main(folder, books):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts(books), trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=[END_OF_TEXT, IM_START, IM_END], initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {str(i): {"content": t, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
               for i, t in enumerate((END_OF_TEXT, IM_START, IM_END))}
    config = {"add_bos_token": False, "add_prefix_space": False, "added_tokens_decoder": special, "bos_token": None, "chat_template": CHAT_TEMPLATE,
              "clean_up_tokenization_spaces": False, "eos_token": IM_END, "model_max_length": 1024, "pad_token": END_OF_TEXT, "tokenizer_class": "PreTrainedTokenizerFast", "unk_token": None}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE)


if __name__ == "__main__":
    main(*sys.argv[1:])
