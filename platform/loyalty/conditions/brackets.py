"""How the tokens of a condition lie in its brackets, and which brackets are loops."""

from collections.abc import Sequence
from dataclasses import dataclass

from loyalty.conditions.tokens import Kind, Token

LOOPS = frozenset({"all", "exists", "exists_one", "filter", "map"})
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Bracket:
    """From its opening token to its closing one. A literal is a list or map that is written out."""

    first: int
    last: int
    loop: bool
    literal: bool


def brackets(tokens: Sequence[Token]) -> list[Bracket]:
    """All brackets of a valid condition."""
    found, opened = [], list[int]()
    for index, token in enumerate(tokens):
        if token.kind is not Kind.SIGN:
            continue
        if token.text in _PAIRS.values():
            opened.append(index)
        elif token.text in _PAIRS and opened:
            first = opened.pop()
            found.append(Bracket(first, index, _loops(tokens, first), _written(tokens, first)))
    return found


def around(found: Sequence[Bracket], index: int) -> list[Bracket]:
    """The brackets that a token stands in."""
    return [bracket for bracket in found if bracket.first < index < bracket.last]


def _loops(tokens: Sequence[Token], first: int) -> bool:
    if tokens[first].text != "(" or first < 2:
        return False
    return tokens[first - 1].text in LOOPS and tokens[first - 2].text == "."


def _written(tokens: Sequence[Token], first: int) -> bool:
    """Whether a bracket begins a list or a map, and does not look something up."""
    if tokens[first].text != "[":
        return tokens[first].text == "{"
    before = tokens[first - 1] if first else None
    looks_up = before is not None and (
        (before.kind is Kind.NAME and before.text != "in") or before.text in (")", "]", "}")
    )
    return not looks_up
