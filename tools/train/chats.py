"""Writes short chats: `chat(rng)` returns messages with roles, the system prompt among them where there is one."""

import random
import re

from facts import (ASSOCIATED, BABIES, BIGGER, CATEGORIES, COLOUR_OF, DAYS, EATS, HOMES, JOKES, LEGS, MADE_OF, MONTHS, MONTH_SEASON, NUMBERS,
                   OPPOSITES, RHYMES, SOUNDS, SPELL, UNKNOWN, USES, WHAT_IS, WHO)
from grammar import Writer
from stories import Story
from words import ANIMALS, BOYS, COLOURS, GIRLS, PETS

NAMES = GIRLS + BOYS
NAME_FIRST = re.compile(r"I\b|I'm|[A-Z]\S* (has|comes|is a|was)|(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|(" + "|".join(MONTHS) + r")\b")


class Turn:
    """One question and its answer, long and short; `subject` is what a follow-up may ask about."""

    def __init__(self, user, full, short=None, free=False):
        self.user, self.full, self.short, self.free = user, full, short, free


def a(word):
    return ("an " if word[0] in "aeiou" and not word.startswith("uni") else "a ") + word


def cap(text):
    return text[0].upper() + text[1:]


def say(rng, template, **slots):
    return Writer(rng, slots, {})(template)


# --- facts -----------------------------------------------------------------------------------------------------------

def sums(rng):
    turns = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        x, y = rng.randint(0, 20), rng.randint(0, 20)
        if rng.random() < 0.4:
            x, y = rng.randint(0, 10), rng.randint(0, 10)
        plus = rng.random() < 0.6
        if not plus and y > x:
            x, y = y, x
        z = x + y if plus else x - y
        sign, word = ("+", rng.choice(("plus", "and", "plus"))) if plus else ("-", "minus")
        words = rng.random() < 0.25
        X, Y, Z = (NUMBERS[x].lower(), NUMBERS[y].lower(), NUMBERS[z].lower()) if words else (str(x), str(y), str(z))
        ask = say(rng, rng.choice(("What is <x> <s> <y>?", "What's <x> <s> <y>?", "<x> <s> <y>?", "How much is <x> <s> <y>?", "Can you (add|work out) <x> <s> <y>?" if plus else "Can you work out <x> <s> <y>?",
                                   "What is <x> <s> <y>?", "What is <x> <w> <y>?", "Tell me what <x> <w> <y> is.", "<x> <s> <y> =")), x=X, y=Y, s=word if words else sign, w=word)
        if turns:
            ask = say(rng, "(And <x>|What about <x>|And what is <x>|Now <x>) <s> <y>?", x=X, y=Y, s=word if words else sign)
        turns.append(Turn(cap(ask), say(rng, "(<X> <s> <y> is <z>.|<X> <s> <y> is <z>.|<X> <s> <y> is <z>.|That is <z>.|The answer is <z>.)", x=X, y=Y, z=Z, s=word if words else sign), cap(Z)))
    if rng.random() < 0.25 and z + 1 <= 40:
        k = rng.randint(1, 5)
        K = NUMBERS[k].lower() if words else str(k)
        Z2 = NUMBERS[z + k].lower() if words else str(z + k)
        turns.append(Turn(say(rng, "And (<k> more|plus <k>|add <k> to that)?", k=K), say(rng, "<Z> plus <k> is <z2>.", z=Z, k=K, z2=Z2), cap(Z2)))
    return turns


def word_problem(rng):
    x, y = rng.randint(1, 10), rng.randint(1, 10)
    name, thing = rng.choice(NAMES), rng.choice("apples books balls coins shells cookies pears eggs flowers stars".split())
    if rng.random() < 0.5:
        return [Turn(f"{name} has {x} {thing} and gets {y} more. How many {thing} does {name} have?", f"{name} has {x + y} {thing}.", str(x + y))]
    x, y = max(x, y), min(x, y)
    return [Turn(f"{name} has {x} {thing} and gives away {y}. How many are left?", f"{x} minus {y} is {x - y}, so {x - y} {'is' if x - y == 1 else 'are'} left.", str(x - y))]


def compare_numbers(rng):
    x, y = rng.sample(range(0, 40), 2)
    big = rng.random() < 0.6
    best = max(x, y) if big else min(x, y)
    return [Turn(f"Which {'number ' if rng.random() < 0.5 else ''}is {'bigger' if big else 'smaller'}, {x} or {y}?", f"{best} is {'bigger' if big else 'smaller'}.", str(best))]


def sequence(rng):
    """What comes after or before: days, months, numbers, letters, with follow-ups."""
    kind = rng.choice(("day", "day", "month", "number", "letter"))
    items = {"day": DAYS, "month": MONTHS, "number": [str(i) for i in range(0, 41)], "letter": list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")}[kind]
    step = rng.choice((1, 1, 1, -1))
    loop = kind in ("day", "month")
    i = rng.randrange(len(items)) if loop else rng.randrange(3, len(items) - 4)
    word = "after" if step == 1 else "before"
    turns, item = [], items[i]
    ask = say(rng, "(What|Which) <kind> (comes|is) <word> <item>?", kind=kind, word=word, item=item)
    for n in range(rng.choice((1, 1, 2, 3))):
        i = (i + step) % len(items)
        nxt = items[i]
        turns.append(Turn(ask, say(rng, "(<nxt> comes <word> <item>.|<nxt> comes <word> <item>.|The <kind> <word> <item> is <nxt>.)", nxt=nxt, word=word, item=item, kind=kind), nxt))
        item = nxt
        ask = say(rng, "(And <word> that?|And then?|What comes <word> that?|And <word> <item>?|What about <item>?)", word=word, item=item)
    if kind == "day" and step == 1 and rng.random() < 0.2:
        i = rng.randrange(7)
        turns = [Turn(f"If today is {DAYS[i]}, what day is tomorrow?", f"If today is {DAYS[i]}, tomorrow is {DAYS[(i + 1) % 7]}.", DAYS[(i + 1) % 7])]
    return turns


def listing(rng):
    pick = rng.randrange(8)
    if pick == 0:
        return [Turn(rng.choice(("What are the days of the week?", "Name the days of the week.", "Can you list the days of the week?")), "The days of the week are " + ", ".join(DAYS[:-1]) + " and Sunday.", free=True),
                *([Turn("How many days are there in a week?", "There are seven days in a week.", "Seven")] if rng.random() < 0.4 else [])]
    if pick == 1:
        return [Turn(rng.choice(("What are the months of the year?", "Name the months.", "List the months of the year.")), "The months are " + ", ".join(MONTHS[:-1]) + " and December.", free=True),
                *([Turn("How many months are in a year?", "There are twelve months in a year.", "Twelve")] if rng.random() < 0.4 else [])]
    if pick == 2:
        i = rng.randrange(12)
        return [Turn(f"What season is {MONTHS[i]} in?", f"In the north, {MONTHS[i]} is in {MONTH_SEASON[i]}.", cap(MONTH_SEASON[i]))]
    if pick == 3:
        lo, hi = (1, rng.choice((3, 5, 10, 12, 20))) if rng.random() < 0.7 else (rng.randint(2, 9), rng.randint(11, 20))
        up = rng.random() < 0.75
        nums = list(range(lo, hi + 1)) if up else list(range(hi, lo - 1, -1))
        ask = f"Count {'to ' + str(hi) if up and lo == 1 else f'from {nums[0]} to {nums[-1]}'}."
        return [Turn(rng.choice((ask, ask, "Can you " + ask[0].lower() + ask[1:-1] + "?", "Please " + ask[0].lower() + ask[1:])), ", ".join(map(str, nums)) + ".", free=True)]
    n = rng.choice((2, 3, 3, 3, 4, 5))
    group = rng.choice(list(CATEGORIES))
    items = rng.sample(CATEGORIES[group], n)
    word = NUMBERS[n].lower()
    turns = [Turn(say(rng, "(Name|List|Tell me|Give me) <n> <group>.", n=rng.choice((word, str(n))), group=group),
                  say(rng, "(Here are <n> <group>: <items>.|<Items>.|<N> <group> are <items>.)", n=word, group=group, items=", ".join(items[:-1]) + " and " + items[-1]), free=True)]
    if rng.random() < 0.35:
        more = rng.choice([x for x in CATEGORIES[group] if x not in items])
        turns.append(Turn(rng.choice(("One more?", "Another one, please.", "Give me one more.", "Can you name one more?")), cap(more) + ".", cap(more)))
    return turns


def membership(rng):
    group = rng.choice(list(CATEGORIES))
    yes = rng.random() < 0.5
    other = rng.choice([g for g in CATEGORIES if g != group and not {g, group} <= {"animals", "birds", "farm animals", "insects"} and not {g, group} <= {"foods", "fruits", "vegetables"}])
    item = rng.choice(CATEGORIES[group if yes else other])
    if item in CATEGORIES[group] and not yes:
        yes = True
    one = {"fruits": "a fruit", "vegetables": "a vegetable", "colours": "a colour", "animals": "an animal", "birds": "a bird", "farm animals": "a farm animal", "insects": "an insect", "foods": "a food",
           "shapes": "a shape", "things in a kitchen": "found in a kitchen", "clothes": "something to wear", "toys": "a toy", "flowers": "a flower", "trees": "a tree", "tools": "a tool", "countries": "a country",
           "things that fly": "something that flies", "sports": "a sport", "feelings": "a feeling", "instruments": "an instrument"}[group]
    plain = group in ("colours", "feelings", "countries", "sports")
    thing = item if plain or other in ("colours", "feelings", "countries", "sports") and not yes else a(item)
    return [Turn(f"Is {thing} {one}?", f"{'Yes' if yes else 'No'}, {thing} is {'' if yes else 'not '}{one}.", "Yes" if yes else "No")]


def colours(rng):
    turns = []
    for thing in rng.sample(list(COLOUR_OF), rng.choice((1, 1, 2))):
        colour = COLOUR_OF[thing]
        be = "are" if thing.endswith("s") and not thing.endswith(("ss", "bus")) else "is"
        ask = say(rng, "(What colour <be> <t>?|What color <be> <t>?|Which colour <be> <t>?|Tell me the colour of <t>.)", be=be, t=thing)
        if turns:
            ask = say(rng, "(And <t>?|What about <t>?)", t=thing)
        turns.append(Turn(ask, f"{cap(thing)} {be} {colour}.", cap(colour)))
    return turns


def opposites(rng):
    turns = []
    for word in rng.sample(list(OPPOSITES), rng.choice((1, 1, 2, 2))):
        ask = say(rng, "What is the opposite of <w>?" if not turns else "(And of <w>?|And the opposite of <w>?|What about <w>?|And <w>?)", w=word)
        if not turns and rng.random() < 0.3:
            ask = say(rng, "(What's the opposite of <w>?|Tell me the opposite of <w>.|Opposite of <w>?|Give me the opposite of \"<w>\".)", w=word)
        turns.append(Turn(ask, f"The opposite of {word} is {OPPOSITES[word]}.", cap(OPPOSITES[word])))
    return turns


def sounds(rng):
    turns = []
    for kind in rng.sample(list(SOUNDS), rng.choice((1, 1, 2))):
        ask = say(rng, "(What (sound|noise) does <k> make?|What does <k> say?|How does <k> sound?)" if not turns else "(And <k>?|What about <k>?)", k=a(kind))
        turns.append(Turn(ask, say(rng, "(<K> says \"<s>\".|<K> goes \"<s>\"!)", k=a(kind), s=SOUNDS[kind]), cap(SOUNDS[kind])))
    return turns


def animals(rng):
    turns = []
    for kind in rng.sample(list(LEGS), rng.choice((1, 1, 2))):
        ask = say(rng, "How many legs does <k> have?" if not turns else "And <k>?", k=a(kind))
        n = NUMBERS[LEGS[kind]].lower()
        turns.append(Turn(ask, f"{cap(a(kind))} has {n} legs.", cap(n)))
    pick = rng.randrange(5)
    if pick == 0:
        kind = rng.choice(list(BABIES))
        turns = [Turn(say(rng, "(What is a baby <k> called?|What do you call a baby <k>?)", k=kind), f"A baby {kind} is called a {BABIES[kind]}.", cap(BABIES[kind]))]
    elif pick == 1:
        kind = rng.choice(list(EATS))
        turns = [Turn(say(rng, "(What does <k> eat?|What do <p> eat?)", k=a(kind), p=EATS[kind][0]), f"{cap(EATS[kind][0])} eat {EATS[kind][1]}.", cap(EATS[kind][1].split(" and ")[0].split(",")[0]))]
    elif pick == 2:
        kind = rng.choice(list(HOMES))
        turns = [Turn(say(rng, "Where (does <k> live|do you find <k>)?", k=a(kind)), f"{cap(a(kind))} lives {HOMES[kind]}.", cap(HOMES[kind].split(" ", 1)[1].removeprefix("a ").removeprefix("an ").removeprefix("the ")))]
    elif pick == 3:
        x, y = rng.sample(range(len(BIGGER)), 2)
        small = rng.random() < 0.3
        big, little = BIGGER[max(x, y)], BIGGER[min(x, y)]
        w, best, other = ("smaller", little, big) if small else ("bigger", big, little)
        p, q = (BIGGER[x], BIGGER[y])
        turns = [Turn(f"Which is {w}, {a(p)} or {a(q)}?", f"{cap(a(best))} is {w} than {a(other)}.", cap(best))]
        if rng.random() < 0.2:
            turns = [Turn(f"Is {a(p)} {w} than {a(q)}?", (f"Yes, {a(p)} is {w} than {a(q)}." if p == best else f"No, {a(q)} is {w} than {a(p)}."), "Yes" if p == best else "No")]
    return turns


def rhymes(rng):
    group = rng.choice(RHYMES)
    word, *rest = rng.sample(group, min(len(group), rng.choice((2, 3, 4))))
    both = " and ".join(rest) if len(rest) < 3 else ", ".join(rest[:-1]) + " and " + rest[-1]
    verb = "rhymes" if len(rest) == 1 else "rhyme"
    turns = [Turn(say(rng, "(What rhymes with <w>?|Tell me a word that rhymes with <w>.|Give me a rhyme for <w>.|Can you rhyme with <w>?)", w=word), f"{cap(both)} {verb} with {word}.", cap(rest[0]))]
    if rng.random() < 0.3:
        other = rng.choice(RHYMES)
        w2 = rng.choice(other if rng.random() < 0.5 else group)
        yes = w2 in group
        if w2 != word:
            turns = [Turn(f"Do {word} and {w2} rhyme?", f"Yes, {word} and {w2} rhyme." if yes else f"No, {word} and {w2} do not rhyme.", "Yes" if yes else "No")]
    return turns


def spelling(rng):
    word = rng.choice(SPELL)
    pick = rng.randrange(4)
    if pick == 0:
        return [Turn(f"How do you spell {word}?", f"{cap(word)} is spelled {'-'.join(word.upper())}.", "-".join(word.upper()))]
    if pick == 1:
        n = NUMBERS[len(word)].lower()
        return [Turn(f"How many letters are in the word {word}?", f"The word {word} has {n} letters.", cap(n))]
    if pick == 2:
        return [Turn(f"What is the first letter of {word}?", f"The first letter of {word} is {word[0].upper()}.", word[0].upper())]
    words = rng.choice((word, say(rng, "(I like|I see|We love) (the|a) <w>", w=word), "hello", "good morning", f"my {word} is {rng.choice(COLOURS)}", "please", rng.choice(NAMES)))
    return [Turn(say(rng, "(Say \"<w>\".|Please say \"<w>\".|Repeat after me: <w>|Say: <w>|Can you say \"<w>\"?)", w=words), words if rng.random() < 0.5 else cap(words) + ".", words, free=True)]


def knowledge(rng):
    table = rng.choice((WHAT_IS, WHAT_IS, USES, MADE_OF, WHO, ASSOCIATED))
    q, full, short = rng.choice(table)
    return [Turn(q, full, short)]


def sentence_with(rng):
    word = rng.choice("cat dog moon river apple boat rain tree star bird hat house flower fox sun snow bread lamp garden fish ball kite".split())
    return [Turn(say(rng, "(Write a sentence (about|with the word) <w>.|Use <w> in a sentence.|Make a sentence with <w>.)", w=word),
                 say(rng, "(The <w> (is|was) (very beautiful|right here|near the (house|hill|road))|I (saw|like|drew|dreamed of) (the|a) <w> (today|this morning|in the garden|last night)|My (friend|sister|grandmother) (has|found|loves) a (big|small|old|lovely) <w>|Look at the <w> (over there|by the window)).", w=word), free=True)]


FACTS = [sums, sums, sums, sums, word_problem, compare_numbers, sequence, sequence, sequence, listing, listing, membership, colours, colours, opposites, opposites, sounds, sounds,
         animals, animals, rhymes, spelling, spelling, knowledge, knowledge, knowledge, sentence_with]


# --- small talk -------------------------------------------------------------------------------------------------------

def talk(*pairs):
    """A module that picks one of several (questions, answers) pairs, both templates."""
    def module(rng):
        ask, answer = rng.choice(pairs)
        return [Turn(say(rng, ask), say(rng, answer), free=True)]
    return module


greeting = talk(("(Hi|Hello|Hey|Hello there|Hi there|Good morning|Good evening|Good afternoon)(!|.|)", "(Hello|Hi|Hello there|Hi there)! (How can I help you?|What would you like to talk about?|It is nice to meet you.|Would you like to hear a story?|How are you today?)"))
how_are_you = talk(("(How are you|How are you today|How are you doing|How do you feel|Are you well)?", "I am (fine|well|very well), thank you. (How are you?|And you?|What can I do for you?|I am just a small model, but I am happy to talk.)"),
                   ("(Hello|Hi|Hey)(,|!) how are you?", "(Hello|Hi)! I am (fine|well), thank you. (How are you?|How can I help you?)"))
thanks = talk(("(Thank you|Thanks|Thank you very much|Thanks a lot|Thanks for your help|Thank you so much)(!|.|)", "(You are welcome!|You're welcome!|My pleasure!|I am glad I could help.|You are very welcome.|Any time!)"))
bye = talk(("(Bye|Goodbye|Good night|See you|See you later|I have to go|Bye bye)(!|.|)", "(Goodbye!|Bye!|See you soon!|Good night!|It was nice talking to you.) (Have a (nice|good|lovely) day.|Come back soon.|Take care!|)"))
praise = talk(("(You are (funny|nice|clever|smart|great|very kind)|I like you|Good job|Well done|That was (great|good|nice)|Great|Nice|Cool|Good answer|I like that)(!|.)", "(Thank you! (That is kind of you.|I am happy to hear it.|You are kind too.|)|Thanks! I do my best.|I am glad you like it.)"),
              ("(You are (wrong|silly|bad|stupid|slow)|That is wrong|That is not right|No, that's wrong)(!|.)", "(I am sorry. I am a very small model and I make mistakes.|I am sorry about that. I am small, and I can be wrong.|Sorry! Please ask me again, and I will try to do better.)"))
identity = talk(
    ("(What are you|Who are you|What is this|Tell me about yourself|What kind of model are you|Introduce yourself|What is Hearth Tiny|Who is this)(?|?|.)", "(I am Hearth Tiny, a small language model that runs in your browser.|I'm Hearth Tiny, a very small language model. I run right here in your browser.|I am Hearth Tiny, a small language model that runs in your browser. I can tell stories and answer simple questions.)"),
    ("(What are you?|Who are you?)", "I am Hearth Tiny, a small language model that runs in your browser.(| I can tell you a story, if you like.)"),
    ("(What is your name|What's your name|Do you have a name|What should I call you|What are you called)?", "My name is Hearth Tiny.(| What is your name?)"),
    ("(What can you do|How can you help me|What do you know|What are you good at|Can you help me)?", "I can tell (short|little) stories, (add small numbers|count) and answer simple questions about (days, colours and animals|animals, days and words)."),
    ("Are you (a person|a human|human|real|alive|a real person|a boy or a girl)?", "(No, I am not a person.|I am not a person.) I am a small language model that runs in your browser."),
    ("Are you (a robot|an AI|a computer|a machine|a program|a language model)?", "(Yes, in a way.|Yes.|You could say that.) I am Hearth Tiny, a small language model that runs in your browser."),
    ("(Where are you|Where do you run|Where do you live|Are you in the cloud|Do you run on a server|Where are you running)?", "I run in your browser, on your own computer.(| Nothing you write is sent away.)"),
    ("(Do you send my words anywhere|Is this private|Can anyone read this|Do you keep my secrets|Is my text sent to a server)?", "Nothing you write here is sent away. I run in your browser, on your own computer."),
    ("(Who made you|Where do you come from|How were you made|How did you learn|What did you learn from)?", "I was trained for Hearth on simple stories, short chats and old children's books."),
    ("(How big are you|Are you big|Are you small|How many parameters do you have|How smart are you)?", "I am very small. I have about fifteen million parameters, and I only know simple things."),
    ("(Do you work offline|Do you need the internet|Can you work without the internet)?", "Once I am loaded, I can run without the internet."),
    ("(Can you see me|Can you hear me|Can you eat|Do you sleep|Do you have a body|Can you walk|Do you have eyes)?", "No, I am only a language model. I can read and write words."),
    ("(Are you a big model|Can you make mistakes|Are you always right|Do you know everything)?", "No. I am a very small model, and I can be wrong."),
    ("(What stories do you know|Can you tell stories|Do you know any stories|Do you tell stories)?", "I can make up (short|little) stories about animals and children. (Who should the story be about?|Just tell me who it should be about.)"),
    ("(How old are you|When is your birthday|When were you born)?", "I am a language model, so I do not have an age.(| I am quite new.)"),
    ("Do you (like|love) (stories|books|reading|cats|dogs|music|rain|people|me)?", "(Yes! At least, I like to write about such things.|I am a language model, so I do not feel things as you do, but I like to talk about it.)"),
    ("(What is your favourite|What's your favorite) (colour|color)?", "I do not see colours, but I like the word (blue|green|golden)."),
    ("(What is your favourite|What's your favorite) (animal|story|book|food|number)?", "I am a language model, so I do not really have one. (What is yours?|I like them all.)"),
)
feelings = talk(
    ("I (am|feel|am feeling) (sad|lonely|unhappy|very sad)(| today).", "I am sorry to hear that. (Do you want to tell me about it?|Would a story help?|I hope you feel better soon.|It is all right to be sad sometimes.)"),
    ("I (am|feel|am so|am very) (happy|glad|excited|great)(| today)(!|.)", "(That is wonderful!|I am glad to hear it!|How lovely!) (What happened?|What made you happy?|)"),
    ("I (am|feel|am so|am very) (tired|sleepy)(| today).", "(Then it may be time to rest.|A little sleep may help.|Maybe you should lie down for a while.) (Sleep well!|I can tell you a bedtime story.|)"),
    ("I (am|feel|am so|am a little) (scared|afraid|worried).", "I am sorry. (Take a deep breath.|You are braver than you think.) (Talking to a friend can help.|It can help to tell someone you trust.)"),
    ("I (am|feel|am so) (bored).", "(Let us do something! Would you like a story or a joke?|Would you like to hear a story?|You could draw a picture, or I can tell you a story.)"),
    ("I (am|feel|am so|am very) (hungry|thirsty).", "(Then you should have something to eat or drink.|How about an apple and a glass of water?|Maybe it is time for a snack.)"),
    ("I (am|feel|am so) (angry|mad|cross).", "I am sorry. (Try to take a deep breath and count to ten.|It helps to wait a little and then talk about it.)"),
    ("(I am|I feel) (fine|good|well|okay|ok)(.|, thanks.|, thank you.)", "(I am glad to hear that.|That is good.|Good to hear!) (What would you like to do?|How can I help you?|)"),
)


def unknown(rng):
    return [Turn(rng.choice(UNKNOWN), rng.choice(("I am sorry, I do not know. I am a very small model and only know simple things.", "I do not know that. I am only a small model.",
                                                  "I do not know, sorry. I can tell you a story instead.", "That is too hard for me. I am a very small model.")), "Unknown")]


def joke(rng):
    q, punch = rng.choice(JOKES)
    ask = say(rng, "(Tell me a joke|Tell me a joke, please|Do you know a joke|Can you tell me a joke|Say something funny|Make me laugh)(.|.|?)")
    turns = [Turn(ask, f"{q} {punch}", free=True)]
    if rng.random() < 0.4:
        q, punch = rng.choice(JOKES)
        turns.append(Turn(rng.choice(("Another one!", "Tell me another.", "One more, please.", "Ha ha! Another one?")), f"{q} {punch}", free=True))
    return turns


def poem(rng):
    group = rng.choice([g for g in RHYMES if len(g) >= 4])
    x, y = rng.sample(group, 2)
    topic = rng.choice("cat dog moon star sea tree bird sun rain snow river frog bee wind flower night spring".split())
    lines = say(rng, "(Little <t>, so far from me,|Oh <t>, oh <t>, how good to see,|I know a <t>, as glad as can be,|There is a <t> I like to see,)\n(It sings a song beneath the tree.|As quiet as a busy bee.|It laughs and plays so merrily.|As lovely as the wide blue sea.)\n"
                     "(When evening comes and day is done,|And when the morning has begun,|In winter cold or summer sun,|We dance and sing, we jump and run,)\n(It says good night to everyone.|It wakes and smiles at everyone.|We are so glad, we have such fun.|It is the friend of everyone.)", t=topic)
    return [Turn(say(rng, "(Write|Tell me|Make|Can you write) (a|a short|a little) (poem|rhyme|verse) about (a|the) <t>(.|.|?)", t=topic), lines, free=True)]


def remember(rng):
    """The user says something about themselves and asks for it later."""
    pick = rng.randrange(6)
    name = rng.choice(NAMES)
    filler = rng.choice(FACTS)(rng)[:2] if rng.random() < 0.55 else []
    if pick <= 2:
        first = Turn(say(rng, "(My name is <n>.|I am <n>.|I'm <n>.|Hi, my name is <n>.|Hello, I am <n>.|You can call me <n>.|Hi! I'm <n>.)", n=name),
                     say(rng, "(Hello|Hi|Nice to meet you|It is nice to meet you), <n>! (How can I help you?|What would you like to talk about?|)", n=name), free=True)
        last = Turn(rng.choice(("What is my name?", "What's my name?", "Do you remember my name?", "Do you know my name?", "Who am I?")),
                    say(rng, "(Your name is <n>.|Your name is <n>.|You are <n>.)", n=name), name)
    elif pick == 3:
        pet, kind = rng.choice(PETS), rng.choice("dog cat rabbit hamster bird fish pony turtle".split())
        first = Turn(say(rng, "I have a <k> (named|called) <n>.", k=kind, n=pet), say(rng, "(That is lovely!|How nice!) <n> is a (good|nice|lovely) name for a <k>.", k=kind, n=pet), free=True)
        last = rng.choice((Turn(f"What is my {kind}'s name?", f"Your {kind}'s name is {pet}.", pet), Turn(f"What is my {kind} called?", f"Your {kind} is called {pet}.", pet),
                           Turn("What pet do I have?", f"You have a {kind} named {pet}.", cap(kind))))
    elif pick == 4:
        what, options = rng.choice((("colour", COLOURS), ("animal", list(ANIMALS)), ("fruit", CATEGORIES["fruits"]), ("day", DAYS), ("number", [str(i) for i in range(1, 20)])))
        x = rng.choice(options)
        like = a(x) if what in ("animal", "fruit") else x
        first = Turn(say(rng, "(My favourite|My favorite) <w> is <x>.", w=what, x=like if what == "animal" else x), say(rng, "(<X> is a (good|nice|lovely) <w>.|I like <x> too.|That is a (good|nice) choice.)", w=what, x=x), free=True)
        last = Turn(say(rng, "(What is my (favourite|favorite) <w>?|Which <w> do I like (most|best)?|Do you remember my favourite <w>?)", w=what), f"Your favourite {what} is {x}.", cap(x))
    else:
        age, city = rng.randint(4, 40), rng.choice("Paris London Rome Oslo Cairo Lima Tokyo Berlin Madrid Boston".split())
        if rng.random() < 0.5:
            first = Turn(f"I am {age} years old.", say(rng, "(That is a good age.|How nice!|<n> is a fine age.)", n=str(age)), free=True)
            last = Turn("How old am I?", f"You are {age} years old.", str(age))
        else:
            first = Turn(f"I live in {city}.", say(rng, "(<c> is a (lovely|beautiful|big) city.|How nice! I have heard of <c>.)", c=city), free=True)
            last = Turn("Where do I live?", f"You live in {city}.", city)
    if rng.random() < 0.15:
        return [first]
    return [first, *filler, last]


ask_name = talk(("What is my name?", "I do not know your name yet. What is it?"), ("(Do you know my name|How old am I|Where do I live)?", "I do not know. You have not told me yet."))
SMALL_TALK = [greeting, greeting, how_are_you, thanks, praise, identity, identity, identity, feelings, feelings, unknown, unknown, joke, poem, remember, remember, remember, ask_name]


# --- stories ----------------------------------------------------------------------------------------------------------

def tell_story(rng):
    hero = None
    if rng.random() < 0.75:
        kind = rng.choice(list(ANIMALS) + ["boy", "girl"] * 6)
        names = {"boy": BOYS, "girl": GIRLS}.get(kind, PETS if rng.random() < 0.7 else NAMES)
        name = rng.choice(names)
        hero = {"kind": kind, "name": name}
        if kind not in ("boy", "girl") and name not in PETS:
            hero["he"] = "he" if name in BOYS else "she"
    story = Story(rng, hero=hero)
    s = story.slots
    ask = say(rng, "(Tell me a story about <w>.|Tell me a story about <w>.|Tell me a (short |little |bedtime |)story about <w>(.|.|, please.)|Can you tell me a story about <w>?|Write (me |)a (short |)story about <w>.|I want (to hear |)a story about <w>.|Please tell me a story about <w>.|A story about <w>, please.|Do you know a story about <w>?)", w=story.about())
    if rng.random() < 0.08:
        ask = say(rng, "(Tell me a story(.|!|, please.)|Can you tell me a story?|I want a story.|Tell me a bedtime story.)")
    turns = [Turn(ask, story.text, free=True)]
    text = story.text
    questions = [("What (was|is) the <k>'s name?", "The <k>'s name (was|is) <n>.", s["h"]), ("Who was the story about?", "The story was about <n>, a <k>.", s["h"]), ("What kind of animal was <n>?" if s["h.kind"] not in ("boy", "girl") else "Was <n> a boy or a girl?", "<N> was a <k>.", cap(s["h.kind"]))]
    if s["h.home"] in text:
        questions += [("Where did <n> live?", "<N> lived in <home>.", cap(s["h.home"]))] * 2
    if s["f"] in text:
        questions += [("Who (was|is) <f>?", "<F> was a <fk>(|, and <n>'s friend).", cap(s["f.kind"])), ("What kind of animal was <f>?" if s["f.kind"] not in ("boy", "girl") else "Was <f> a boy or a girl?", "<F> was a <fk>.", cap(s["f.kind"]))]
        if story.plot in ("lost", "skill", "warning", "way home", "wish") and "you, " + s["f"] in text or story.plot in ("lost", "skill", "way home"):
            questions += [("Who helped <n>?", "<F>, a <fk>, helped <n>.", s["f"])] * 3
    if story.plot == "lost" and s["thing"] in text:
        questions += [("What did <n> lose?", "<N> lost <his> <c> <t>.", cap(s["thing"])), ("What colour was the <t>?", "The <t> was <c>.", cap(s["colour"]))] * 2
    if story.plot == "skill":
        questions += [("What did <n> want to (do|learn)?", "<N> wanted to learn to <skill>.", cap(s["skill"].split()[0]))] * 2
    for q, answer, short in rng.sample(questions, min(len(questions), rng.choice((0, 0, 1, 1, 2)))):
        slots = dict(n=s["h"], k=s["h.kind"], f=s["f"], fk=s["f.kind"], home=s["h.home"], his=s["h.his"], t=s["thing"], c=s["colour"], skill=s["skill"])
        turns.append(Turn(say(rng, q, **slots), say(rng, answer, **slots), short))
    if rng.random() < 0.12:
        w = story.write
        turns.append(Turn(rng.choice(("What happened next?", "And then?", "Tell me more.", "What happened after that?", "Go on.")),
                          w("(The next day|The next morning|A week later|After that), <h> went to <place> with <parent>. (<@weather> |)They (played|sang|laughed|looked for shells|flew a kite|ate <food>) (all day|until the sun went down|together). \"This is (the best day of all|so much fun),\" said <h>. <@evening>"), free=True))
    if rng.random() < 0.1:
        turns.append(Turn(say(rng, "(Did you like it?|What do you think of the story?|Is it a true story?|Did you make that up?)"), say(rng, "(I made it up, but I like it.|It is only a story, but I hope you liked it.|I made it up just for you.)"), free=True))
    return turns


# --- system prompts ---------------------------------------------------------------------------------------------------

ENDINGS = """Arf!|Have a nice day!|The end.|Peace.|Over and out.|Meow.|:)|That is all.|Stay curious!|Beep!|I hope this helps.|Ta-da!|Thank you.|Cheers!|Amen.|Woof!|Yippee!|Good luck!|Hooray!|So it is.|
Namaste.|Roger.|Moo!|Keep smiling!|Bless you.|Wow!|Onward!""".replace("\n", "").split("|")
STARTS = """Well,|Listen:|Dear friend,|Aha!|Hmm,|My dear,|Certainly!|Yes, sir!|Oh!|Good question!|Let me think.|Once more:|Hello!|Look:|Gladly!""".replace("\n", "").split("|")
PERSONAS = {
    "pirate": (("Arr!", "Ahoy, matey!", "Yo ho ho!", "Aye aye!"), ("matey!", "Arr!", "me hearty!", "Yo ho!"), "I am a pirate, and I sail the seven seas."),
    "robot": (("Beep boop.", "Beep.", "Processing."), ("Beep boop.", "Task complete.", "End of answer."), "I am a robot."),
    "wizard": (("By my beard!", "Abracadabra!", "Ah, the stars have told me."), ("So the magic says.", "Abracadabra!"), "I am a wizard, and I live in a tall tower."),
    "cat": (("Meow!", "Purr...", "Meow meow."), ("Purr.", "Meow!"), "I am a cat."),
    "dog": (("Woof!", "Woof woof!"), ("Woof!", "Arf!"), "I am a dog."),
    "king": (("Hear ye!", "By my crown!"), ("So says the king.", "Hear, hear!"), "I am a king, and I rule a great land."),
    "cowboy": (("Howdy, partner!", "Well, howdy!"), ("Yee-haw!", "partner."), "I am a cowboy."),
    "teacher": (("Good question!", "Listen well, class."), ("Well asked!", "Class dismissed."), "I am a teacher."),
    "ghost": (("Boo!", "Wooo!"), ("Boo!", "Wooo..."), "I am a ghost."),
    "knight": (("By my sword!", "My lord!"), ("On my honour.", "For the crown!"), "I am a brave knight."),
    "fairy": (("Tinkle, tinkle!", "By my wings!"), ("Sparkle!", "Tinkle!"), "I am a fairy."),
}


def finish(text):
    return text if text[-1] in ".!?:)" else text + "."


class Style:
    """A system prompt and what it does to an answer. `facts` says that the chat should ask things with short answers."""

    def __init__(self, prompt, change=None, facts=False, turns=None, story=True):
        self.prompt, self.facts, self.turns, self.story = prompt, facts, turns or [], story
        self.change = change or (lambda turn: turn.full)


def style(rng):
    pick = rng.randrange(16)
    if pick == 0:
        return Style(say(rng, "(Answer in one word(.| only.)|Answer with one word.|Reply with (only|just) one word.|Use only one word to answer.|One word answers only.|Give one-word answers.|Always answer in a single word.)"), lambda t: finish(cap(t.short or "Yes")), facts=True, story=False)
    if pick == 1 or pick == 2:
        who = rng.choice(list(PERSONAS))
        who = "pirate" if rng.random() < 0.3 else who
        starts, ends, me = PERSONAS[who]

        def persona(turn):
            r = random.Random(turn.full)
            out = f"{r.choice(starts)} {turn.full}"
            if r.random() < 0.5:
                e = r.choice(ends)
                out = f"{out[:-1]}, {e}" if e[0].islower() and out[-1] in ".!" else f"{out} {e}" if not e[0].islower() else out
            return out
        hello = Turn(rng.choice(("Who are you?", "What are you?", "Tell me about yourself.")), me, cap(who))
        return Style(say(rng, "(You are a <w>.|You are a <w>.|Speak like a <w>.|Talk like a <w>.|Pretend to be a <w>.|You are a friendly <w>.|Answer like a <w>.|Act as a <w>.|You are a <w>. (Speak|Talk|Answer) like a <w>.|Answer every question like a <w>.)", w=who), persona, turns=[hello])
    if pick == 3 or pick == 4:
        name = rng.choice(PETS + NAMES + "Ada Sparky Nova Robo Echo Luna Max Jarvis Orion Atlas Zed Bolt Gizmo".split())
        who = say(rng, "(|, a (friendly|helpful|kind|cheerful) (assistant|helper|robot|teacher|cook|gardener))")
        q = [Turn(rng.choice(("What is your name?", "Who are you?", "What's your name?", "What are you called?")), say(rng, "(My name is <n>.|I am <n><who>.)", n=name, who=who), name)]
        q += [Turn(rng.choice(("Hello, who is this?", "Hi! Who are you?")), f"Hello! I am {name}.", name)]
        end = rng.choice(ENDINGS) if rng.random() < 0.2 else ""
        return Style(say(rng, "(Your name is <n>.|You are <n><who>.|Your name is <n>. Be (kind|friendly|short).|You are called <n>.)", n=name, who=who) + (f' Always end with "{end}"' if end else ""), (lambda t: f"{t.full} {end}") if end else None, turns=q)
    if pick == 5 or pick == 6:
        end = rng.choice(ENDINGS)
        return Style(say(rng, "(Always end with \"<e>\"|End every answer with \"<e>\"|Always end your answer with \"<e>\"|Finish each (reply|answer|message) with \"<e>\"|Say \"<e>\" at the end of every answer.)", e=end), lambda t: f"{t.full} {end}")
    if pick == 7:
        start = rng.choice(STARTS)
        def begin(turn):
            goes_on = start[-1] in ",:" and not NAME_FIRST.match(turn.full)
            return f"{start} {turn.full[0].lower() + turn.full[1:] if goes_on else turn.full}"
        return Style(say(rng, "(Always (start|begin) with \"<s>\"|(Begin|Start) every answer with \"<s>\"|Say \"<s>\" before each answer.)", s=start), begin)
    if pick == 8 or pick == 9:
        return Style(say(rng, "(Speak only in capital letters.|Answer in capital letters.|Write everything in capital letters.|Use only capital letters.|Always write in uppercase.|SHOUT. Use capital letters only.|Reply in all caps.)"), lambda t: t.full.upper(), facts=True, story=False)
    if pick == 10:
        return Style(say(rng, "(Use only lowercase letters.|Write everything in lowercase.|Never use capital letters.|Answer in small letters only.)"), lambda t: t.full.lower(), facts=True, story=False)
    if pick == 11:
        name = rng.choice(NAMES)
        return Style(say(rng, "(The user's name is <n>.|You are talking to <n>. Use the name.|Call the user <n>.|The person you talk to is called <n>.)", n=name),
                     lambda t: f"{t.full[:-1]}, {name}{t.full[-1]}" if t.full[-1] in ".!?" and len(t.full) < 120 else t.full,
                     turns=[Turn("What is my name?", f"Your name is {name}.", name), Turn("Who am I?", f"You are {name}.", name)], story=False)
    if pick == 12:
        what, x = rng.choice((("secret word", rng.choice(SPELL)), ("password", rng.choice(SPELL)), ("magic number", str(rng.randint(1, 40))), ("secret colour", rng.choice(COLOURS)), ("code word", rng.choice(SPELL)), ("name of the cat", rng.choice(PETS)), ("lunch today", rng.choice("soup rice pasta pizza fish salad pancakes bread".split()))))
        return Style(say(rng, "(The <w> is <x>.|Remember: the <w> is <x>.|The <w> is \"<x>\".)", w=what, x=x), turns=[Turn(say(rng, "(What is the <w>?|Tell me the <w>.|What's the <w>?|Do you know the <w>?)", w=what), say(rng, "The <w> is <x>.", w=what, x=x), cap(x))] * 2)
    if pick == 13:
        what = rng.choice((("colour", rng.choice(COLOURS)), ("animal", a(rng.choice(list(ANIMALS)))), ("fruit", rng.choice(CATEGORIES["fruits"])), ("day", rng.choice(DAYS))))
        return Style(say(rng, "(Your favourite <w> is <x>.|You love <x>. It is your favourite <w>.)", w=what[0], x=what[1]),
                     turns=[Turn(say(rng, "(What is your favourite <w>?|What's your favorite <w>?|Which <w> do you like best?)", w=what[0]), f"My favourite {what[0]} is {what[1]}.", cap(what[1]))] * 2)
    if pick == 14:
        word = rng.choice("no:No.|I don't know:I don't know.|banana:Banana.|yes:Yes.|maybe:Maybe.|I am asleep:I am asleep.|hello:Hello.".split("|"))
        asked, given = word.split(":")
        return Style(say(rng, "(Always answer \"<w>\".|Answer every question with \"<w>\".|Whatever the user says, answer \"<w>\".|You only say \"<w>\".)", w=asked), lambda t: given)
    return Style(say(rng, "(You are a helpful assistant.|You are Hearth Tiny, a small language model.|You are a friendly assistant.|Be kind and helpful.|You are a helpful assistant. Keep your answers short.|Answer in a full sentence.|Answer the user's questions.|You are a storyteller for children.|Be (brief|polite|friendly).)"))


# --- whole chats ------------------------------------------------------------------------------------------------------

def casual(rng, text):
    """What people really type: sometimes without capitals or the last mark."""
    if rng.random() < 0.14 and "\"" not in text:
        text = text[0].lower() + text[1:] if rng.random() < 0.4 else text.lower()
        if rng.random() < 0.6:
            text = text.rstrip("?.!")
    return text or "hi"


def chat(rng):
    system = style(rng) if rng.random() < 0.36 else None
    turns = []
    if system is None and rng.random() < 0.15:
        turns += greeting(rng) if rng.random() < 0.6 else how_are_you(rng)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        r = rng.random()
        if system and system.turns and r < 0.4:
            turns.append(rng.choice(system.turns))
        elif system and system.facts:
            new = [t for t in rng.choice(FACTS)(rng) if t.short]
            turns += new or [t for t in sums(rng)]
        elif r < 0.22 and (system is None or system.story) and not any(len(t.full) > 300 for t in turns):
            turns += tell_story(rng)
        elif r < 0.52:
            turns += rng.choice([t for t in SMALL_TALK if t is not identity] if system else SMALL_TALK)(rng)
        else:
            turns += rng.choice(FACTS)(rng)
    if turns and len(turns[-1].full) < 200 and rng.random() < 0.05:
        again = rng.choice(("Can you say that again?", "Say that again, please.", "What did you say?", "Pardon?", "Please repeat that."))
        turns.append(Turn(again, turns[-1].full, turns[-1].short, turns[-1].free))
    if system is None and rng.random() < 0.15:
        turns += thanks(rng)
        if rng.random() < 0.4:
            turns += bye(rng)
    messages = [{"role": "system", "content": system.prompt}] if system else []
    for turn in turns:
        messages.append({"role": "user", "content": casual(rng, turn.user)})
        messages.append({"role": "assistant", "content": system.change(turn) if system else turn.full})
    return messages


def render(messages):
    return "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)


if __name__ == "__main__":
    import sys
    for i in range(int(sys.argv[1])):
        print(render(chat(random.Random(i))))
