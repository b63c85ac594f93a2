"""An adversarial search for a text that is slow to read, by processor time: a busy machine does not matter."""

import random
import time

from parsers import Policy, decide
from parsers.lexicon import lexicon
from parsers.sentence import MAX_LENGTH

SLOWEST_SECONDS = 0.005
ATOMS = [
    "1",
    "12",
    "3시",
    "오전",
    "~",
    "-",
    "/",
    ":",
    " ",
    ".",
    ",",
    "00",
    "a",
    "p",
    "am",
    "30분",
    "월",
    "년",
    "한",
    "열",
]
ATOMS += [
    "십",
    "이",
    "o",
    "half",
    "2025",
    "t",
    "z",
    "+",
    "gmt",
    "ㅎ",
    "김",
    "ё",
    "é",
    "時",
    "日",
    "moringg ",
    "오휴 ",
    "15 uhr ",
]


def seconds(text: str, policy: Policy) -> float:
    """The best of several readings: what the text costs, not what else the machine was doing."""
    best = 1.0
    for _ in range(4):
        started = time.process_time()
        decide(text, policy)
        best = min(best, time.process_time() - started)
        if best < SLOWEST_SECONDS:
            break
    return best


def test_no_text_found_takes_long():
    policy = Policy()
    draw = random.Random(20260101)  # noqa: S311 - a search, not a secret
    words = list(lexicon().phrases.values())
    decide("15 Uhr", policy)  # the date library and the lexicon load once
    decide("moringg", policy)
    slow = []
    for _ in range(1_500):
        pool = draw.sample(ATOMS, draw.randint(1, 4)) + draw.sample(words, draw.randint(0, 2))
        text = "".join(draw.choice(pool) for _ in range(MAX_LENGTH))[:MAX_LENGTH]
        if seconds(text, policy) > SLOWEST_SECONDS:
            slow.append(text)
    assert slow == []
