"""Rounding and sharing, by the words of the docs."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor


def rounded(exact: Fraction, how: str = "floor") -> int:
    match how:
        case "floor":
            return floor(exact)
        case "ceiling":
            return ceil(exact)
        case "half_even":
            return round(exact)
        case _:
            return floor(exact + Fraction(1, 2))


def shared(total: int, weights: Sequence[Fraction | int]) -> list[int]:
    """By largest remainder; of equals the first."""
    whole = sum(weights)
    if not weights or whole == 0:
        return [total, *[0] * (len(weights) - 1)] if weights else []
    exact = [Fraction(total) * weight / whole for weight in weights]
    parts = [floor(one) for one in exact]
    order = sorted(range(len(parts)), key=lambda at: (parts[at] - exact[at], at))
    for at in order[: total - sum(parts)]:
        parts[at] += 1
    return parts
