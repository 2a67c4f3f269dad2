"""A tiny text grammar: "(a|b)" chooses, "<slot>" fills in a word, "<@name>" expands a shared phrase.

A slot written with a capital first letter gives the same word capitalised.
"""

import functools
import re

PIECE = re.compile(r"[(|)]|<[^>]+>|[^(|)<]+")
ARTICLE = re.compile(r"\b([Aa]) (?=[aeiouAEIOU](?!ne\b|ni|seful))")
SPACES = re.compile(r" {2,}")


@functools.lru_cache(maxsize=None)
def parse(text):
    """Turns a template into nested lists: a sequence holds strings and tuples of alternative sequences."""
    pieces = PIECE.findall(text)
    at = 0

    def sequence(closers):
        nonlocal at
        out = []
        while at < len(pieces) and pieces[at] not in closers:
            piece = pieces[at]
            at += 1
            if piece == "(":
                options = [sequence("|)")]
                while pieces[at] == "|":
                    at += 1
                    options.append(sequence("|)"))
                at += 1
                out.append(tuple(options))
            else:
                out.append(piece)
        return out

    tree = sequence(())
    assert at == len(pieces), f"unbalanced template: {text}"
    return tree


class Writer:
    """Expands templates with one random generator, one set of slots and one set of shared phrases."""

    def __init__(self, rng, slots, phrases):
        self.rng, self.slots, self.phrases = rng, slots, phrases

    def _expand(self, tree, out):
        for node in tree:
            if type(node) is tuple:
                self._expand(node[int(self.rng.random() * len(node))], out)
            elif node[0] == "<":
                key = node[1:-1]
                if key[0] == "@":
                    options = self.phrases[key[1:]]
                    self._expand(parse(options[int(self.rng.random() * len(options))]), out)
                else:
                    out.append(self._slot(key))
            else:
                out.append(node)

    def _slot(self, key):
        if key in self.slots:
            return self.slots[key]
        word = self.slots[key[0].lower() + key[1:]]
        return word[0].upper() + word[1:]

    def __call__(self, template):
        out = []
        self._expand(parse(template), out)
        text = SPACES.sub(" ", "".join(out))
        return ARTICLE.sub(lambda m: m.group(1) + "n ", text).strip()
