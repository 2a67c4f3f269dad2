"""Packs documents into rows of token ids. Every row begins with the beginning of a document."""

import random

import numpy as np
from tokenizers import Tokenizer

from books import read_books
from chats import chat, render
from stories import Story

ROW = 1025
ROWS = 384
BOOK_SHARE = 0.06
STORY_SHARE = 0.38

tokenizer = None
book_tokens = None


def start(model_folder, books_folder):
    """Prepares a worker process."""
    global tokenizer, book_tokens
    tokenizer = Tokenizer.from_file(f"{model_folder}/tokenizer.json")
    book_tokens = [np.array(tokenizer.encode(train).ids, np.uint16) for train, _ in read_books(books_folder)]


def document(rng):
    text = Story(rng).text if rng.random() < STORY_SHARE else render(chat(rng))
    return text + "<|endoftext|>"


def shard(name):
    """ROWS rows that depend only on the name; a name that begins with "held out" gives no book rows."""
    rng = random.Random(name)
    rows = np.empty((ROWS, ROW), np.uint16)
    weights = [len(b) for b in book_tokens]
    pending = []
    for row in rows:
        if not name.startswith("held out") and rng.random() < BOOK_SHARE:
            book = rng.choices(book_tokens, weights)[0]
            at = rng.randrange(len(book) - ROW)
            row[:] = book[at:at + ROW]
            continue
        filled = 0
        while filled < ROW:
            if not pending:
                pending = [e.ids for e in tokenizer.encode_batch_fast([document(rng) for _ in range(64)])]
            ids = pending.pop()[:ROW - filled]
            row[filled:filled + len(ids)] = ids
            filled += len(ids)
    return rows


def held_out_books(books_folder):
    """The held-out ends of the books as rows, the last piece of each book dropped."""
    rows = []
    for _, text in read_books(books_folder):
        ids = tokenizer.encode(text).ids
        rows += [ids[at:at + ROW] for at in range(0, len(ids) - ROW + 1, ROW)]
    return np.array(rows, np.uint16)
