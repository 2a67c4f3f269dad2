"""Reads the public-domain children's books; the last part of each is held out."""

from pathlib import Path

HELD_OUT = 0.04
PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "\u2060": None, "\u200a": None, "\u00a0": " "})


def read_books(folder):
    """Yields (training text, held-out text) for each book, cut between paragraphs."""
    for path in sorted(Path(folder).glob("*.txt")):
        if path.name == "SOURCE.txt":
            continue
        text = path.read_text().translate(PLAIN)
        cut = text.rfind("\n\n", 0, int(len(text) * (1 - HELD_OUT)))
        yield text[:cut], text[cut + 2:]
