"""Where a condition can be cut: at the `&&` that stand in no brackets."""

from collections.abc import Sequence

from loyalty.conditions.tokens import Kind, Token

_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


def parts(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """From where to where in the source each part goes: all of them hold where the whole holds.

    `||` and `? :` bind looser than `&&`: a condition that has one outside of brackets is one part.
    """
    found, depth, first = [], 0, 0
    for index, token in enumerate(tokens):
        if token.kind is not Kind.SIGN:
            continue
        if token.text in _OPEN:
            depth += 1
        elif token.text in _CLOSE:
            depth -= 1
        elif depth == 0 and token.text in ("||", "?"):
            return [_span(tokens)]
        elif depth == 0 and token.text == "&&":
            found.append(_span(tokens[first:index]))
            first = index + 1
    return [*found, _span(tokens[first:])]


def _span(tokens: Sequence[Token]) -> tuple[int, int]:
    return (tokens[0].start, tokens[-1].end) if tokens else (0, 0)
