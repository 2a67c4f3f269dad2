"""Writes short stories: `Story(rng)` has a text and the facts that questions about it can ask for."""

import random
import re

from grammar import Writer
from plots import ABOUT, COLOUR_OPENING, OPENINGS, PHRASES, PLOTS, WHO
from words import (ANIMALS, BOYS, COLOURS, FOODS, GIRLS, PETS, PLACES, PLANTS, SIZES, SKILLS, SPOTS, TRAITS, TREASURES, WEATHER)

PHRASES = dict(PHRASES, weather=["(" + WEATHER + ")"])
PRONOUNS = {"he": ("he", "him", "his", "himself"), "she": ("she", "her", "her", "herself")}
CHILD_HOMES = """a (small|white|yellow|tall) house by the (river|sea|woods|road)|a village in the hills|a busy town|a farm|
a cottage at the edge of the forest|a house with a (blue|green|red) door|a lighthouse|a flat above the bakery|a little town by the lake""".replace("\n", "")
CHILD_FOODS = "pancakes|apples|noodles|strawberries|toast with jam|rice|soup|cherries|bread and cheese".split("|")
CHILD_SKILLS = """climbing trees|solving puzzles|running fast|singing loudly|drawing maps|tying knots|making people laugh|building things|
telling stories""".replace("\n", "").split("|")
CHILD_PARTS = "curly hair|red hair|big ears|loud laugh|long legs|freckled nose|soft voice".split("|")
PARENTS = "mother:she|father:he|grandmother:she|grandfather:he|aunt:she|uncle:he|big sister:she|big brother:he".split("|")
BODY_PARTS = "foot tail leg wing paw".split()


def person(rng, slots, key, child_chance, taken, want=None):
    """Puts one character's slots under `key`; `want` may fix kind, name or pronoun."""
    want = want or {}
    kind = want.get("kind") or (None if rng.random() < child_chance else rng.choice(list(ANIMALS)))
    he = want.get("he") or rng.choice(("he", "she"))
    if kind in ("boy", "girl") or kind is None:
        kind = kind or ("boy" if he == "he" else "girl")
        he = "he" if kind == "boy" else "she"
        names = BOYS if kind == "boy" else GIRLS
        home, food = None, rng.choice(CHILD_FOODS)
        part, skill = rng.choice(CHILD_PARTS), rng.choice(CHILD_SKILLS)
    else:
        names = PETS if rng.random() < 0.7 else (BOYS if he == "he" else GIRLS)
        home, food, _, part, skill = ANIMALS[kind]
    name = want.get("name") or rng.choice(names)
    while name in taken:
        name = rng.choice(names)
    taken.add(name)
    size, trait = rng.choice(SIZES), rng.choice(TRAITS)
    he, him, his, self = PRONOUNS[he]
    adjectives = rng.choice((size, trait, f"{trait} little"))
    slots.update({
        key: name, f"{key}.kind": kind, f"{key}.he": he, f"{key}.him": him, f"{key}.his": his, f"{key}.self": self,
        f"{key}.the": f"the {rng.choice((size, trait))} {kind}" if rng.random() < 0.5 else f"the {kind}",
        f"{key}.the2": f"the {adjectives} {kind}" if key == "h" else f"a {adjectives} {kind}",
        f"{key}.a": f"a {adjectives} {kind}", f"{key}.a2": f"a {adjectives} {kind}",
        f"{key}.food": food, f"{key}.part": part, f"{key}.apart": part if part.endswith(("s", "hair")) else f"a {part}", f"{key}.skill": skill,
        f"{key}.part0": "foot" if key + kind in ("boy", "girl") else rng.choice(("foot", "leg")),
        f"{key}.home": home or Writer(rng, {}, {})("(" + CHILD_HOMES + ")"),
    })


class Story:
    def __init__(self, rng, plot=None, hero=None):
        self.rng = rng
        self.plot = plot or rng.choice(list(PLOTS))
        slots = self.slots = {}
        taken = set()
        person(rng, slots, "h", 0.4, taken, hero)
        child = slots["h.kind"] in ("boy", "girl")
        person(rng, slots, "f", 0.5 if child else 0.06, taken)
        person(rng, slots, "o", 0.3 if child else 0.05, taken)
        while slots["o.kind"] == slots["f.kind"] and slots["o.kind"] not in ("boy", "girl"):
            person(rng, slots, "o", 0, taken)
        who, p_he = rng.choice(PARENTS if child or rng.random() < 0.4 else PARENTS[:2]).split(":")
        p = PRONOUNS[p_he]
        place, place2 = rng.sample(PLACES, 2)
        spot, spot2, spot3 = rng.sample(SPOTS, 3)
        food, food2 = rng.sample(FOODS, 2)
        skill, where = rng.choice(SKILLS).split(":")
        plant, seed, grown = rng.choice(PLANTS).split(":")
        slots.update({
            "parent": f"{slots['h.his']} {who}", "p.he": p[0], "p.him": p[1], "p.his": p[2], "place": place, "place2": place2,
            "spot": spot, "spot2": spot2, "spot3": spot3, "food": food, "food2": food2, "skill": skill, "where": where,
            "plant": plant, "seed": seed, "grown": grown, "thing": rng.choice(TREASURES), "colour": rng.choice(COLOURS),
        })
        self.write = Writer(rng, slots, PHRASES)
        self.text = self._tell()

    def _tell(self):
        rng, write = self.rng, self.write
        beats = [rng.choice(OPENINGS), rng.choice(COLOUR_OPENING)] if rng.random() < 0.9 else []
        beats += [rng.choice(beat) for beat in PLOTS[self.plot]]
        sentences = [write(beat) for beat in beats]
        sentences = self._introduce(self._introduce(sentences, "f", "friend"), "o", "neighbour")
        text, since = "", 0
        breaks = rng.random() < 0.7
        for sentence in filter(None, sentences):
            if text and breaks and since > 100 and rng.random() < 0.45:
                text, since = text + "\n\n", 0
            elif text:
                text += " "
            text += sentence
            since += len(sentence)
        self.sentences = [s for s in sentences if s]
        return text

    def _introduce(self, sentences, key, role):
        """Says who a character is where the name comes up before the character does."""
        name, kind = self.slots[key], self.slots[f"{key}.kind"]
        for i, sentence in enumerate(sentences):
            if name not in sentence:
                continue
            if not re.search(rf"\b{kind}\b", sentence):
                at = sentence.index(name)
                spoken = sentence[:at].count('"') % 2 == 1
                opens = at == 0 or sentence[at - 2:at] in (". ", "! ", "? ") or sentence[at - 1] == '"'
                his = "my" if spoken else self.slots["h.his"]
                label = name if kind in ("boy", "girl") else f"{name} the {kind}"
                sentences[i] = f"{sentence[:at]}{his.capitalize() if opens else his} {role} {label}{sentence[at + len(name):]}"
            break
        return sentences

    def about(self):
        """A request that this story answers."""
        rng, slots = self.rng, self.slots
        a = self.write(rng.choice(("a <h.kind>", "<h.a>", "a <h.kind>")))
        topic = self.write(rng.choice(ABOUT[self.plot]))
        who = self.write(rng.choice(WHO[self.plot]))
        what = rng.choice((f"{a} {who}", f"{a} {who}", f"{a} named {slots['h']} {who}", f"{a} named {slots['h']}", f"{a} called {slots['h']}", f"{a}", f"{topic}", f"{a} and {topic}", f"{a} named {slots['h']} and {topic}",
                           f"{a} named {slots['h']}", self.write("<h> the <h.kind>"), self.write("a <h.kind> and a <f.kind>") if slots["f"] in self.text else a))
        return what


def story(seed):
    return Story(random.Random(seed)).text


if __name__ == "__main__":
    import sys
    import time
    for i in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5):
        print(story(i), "\n---")
    start = time.time()
    texts = [story(i) for i in range(2000)]
    print((time.time() - start) / 2000, sum(map(len, texts)) / 2000, len(set(t[:40] for t in texts)))
    assert not any(re.search(r"[<>|()]", t) for t in texts)
