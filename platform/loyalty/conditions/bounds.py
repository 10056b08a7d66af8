"""What a condition may do in loops and with patterns, so that judging one is always quick.

The library ends a condition that goes round 10,000 times. These bounds see to it that one round is
short, whatever a purchase holds.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod

from loyalty.conditions.brackets import LOOPS, Bracket, around, brackets
from loyalty.conditions.fault import ConditionFault
from loyalty.conditions.mentions import placed
from loyalty.conditions.name import LISTS, Name
from loyalty.conditions.tokens import Kind, Token

DEPTH_MAX = 2
WORDS_MAX = (200, 50)  # tokens in a loop, and in a loop within it
MATCHES_MAX = 3
PATTERN_MAX = 100  # characters, with their quotes
REPEATS_MAX = 20
_REPEATS = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_CLASS = re.compile(r"\\[pP]")
# So the checked program says that texts, lists or bytes are joined (field 3, a name so long).
_JOINS = re.compile(rb"\x1a[\x08-\x0a]add_(?:string|list|bytes)")


def check(source: str, tokens: Sequence[Token], names: Mapping[str, Name], program: bytes) -> None:
    """`program` is the checked form of the condition.

    :raises ConditionFault: it goes beyond a bound
    """
    found = brackets(tokens)
    for message, index in _faults(tokens, names, found, _JOINS.search(program) is not None):
        raise ConditionFault(message, source, tokens[index].start)


def _faults(
    tokens: Sequence[Token], names: Mapping[str, Name], found: Sequence[Bracket], joins: bool
) -> Iterator[tuple[str, int]]:
    if any(bracket.loop for bracket in found):
        yield from _loops(found)
        yield from _joins(tokens, found) if joins else ()
        yield from _lists(tokens, names, found)
    yield from _patterns(tokens, found)


def _loops(found: Sequence[Bracket]) -> Iterator[tuple[str, int]]:
    for loop in found:
        if not loop.loop:
            continue
        depth = _depth(found, loop.first)
        if depth >= DEPTH_MAX:
            yield f"loops are nested at most {DEPTH_MAX} deep", loop.first - 1
        elif loop.last - loop.first - 1 > WORDS_MAX[depth]:
            where = "a loop in a loop" if depth else "a loop"
            yield f"{where} has at most {WORDS_MAX[depth]} words and signs", loop.first - 1


def _joins(tokens: Sequence[Token], found: Sequence[Bracket]) -> Iterator[tuple[str, int]]:
    for index, token in enumerate(tokens):
        if token.text == "+" and _depth(found, index):
            yield "a loop adds numbers only: write int(l.net) + int(l.tax) of what it takes", index


def _lists(
    tokens: Sequence[Token], names: Mapping[str, Name], found: Sequence[Bracket]
) -> Iterator[tuple[str, int]]:
    """A whole list for each entry of another one, or as one entry, would be work without end."""
    for index, end, mention in placed(tokens, names):
        if names[mention.name].type not in LISTS:
            continue
        held = any(bracket.loop or bracket.literal for bracket in around(found, index))
        if held and not _is_walked(tokens, end):
            yield f"beside a loop {mention.name} can only be looped over itself", index


def _is_walked(tokens: Sequence[Token], end: int) -> bool:
    called = [token.text for token in tokens[end : end + 2]]
    return len(called) == 2 and called[0] == "." and called[1] in LOOPS | {"size"}


def _patterns(tokens: Sequence[Token], found: Sequence[Bracket]) -> Iterator[tuple[str, int]]:
    calls = [
        bracket
        for bracket in found
        if bracket.first and tokens[bracket.first - 1].text == "matches"
    ]
    for count, call in enumerate(calls, 1):
        index, pattern = call.first - 1, tokens[call.last - 1]
        if count > MATCHES_MAX:
            yield f"a condition has at most {MATCHES_MAX} patterns", index
        elif pattern.kind is not Kind.TEXT or tokens[call.last - 2].text not in ("(", ","):
            yield 'write the pattern of matches as one text in quotes, such as "^A[0-9]+$"', index
        elif _depth(found, index) > 1:
            yield "matches does not go into a loop in a loop", index
        else:
            yield from ((message, call.last - 1) for message in _pattern(pattern.text))


def _pattern(text: str) -> Iterator[str]:
    repeats = [int(most or least) for least, most in _REPEATS.findall(text)]
    if len(text) > PATTERN_MAX:
        yield f"a pattern has at most {PATTERN_MAX} characters"
    elif prod(repeats) > REPEATS_MAX or sum(repeats) > REPEATS_MAX:
        yield f"a pattern repeats at most {REPEATS_MAX} times in all"
    elif _CLASS.search(text):
        yield "write the letters of a pattern as a range, such as [a-z]"


def _depth(found: Sequence[Bracket], index: int) -> int:
    """How many loops a token stands in."""
    return sum(bracket.loop for bracket in around(found, index))
