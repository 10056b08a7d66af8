"""Rates as whole numbers over one denominator, so that a basket is counted in integers alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from loyalty.units import MINOR_MAX, Rounding, apportion, divided, ratio

RateKey = str | int | None
"""Which rate: a category path, the place in `rates`, or None for the rule's own."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Points per step: `numerators[key] / denominator`, the plain rate under None."""

    numerators: Mapping[RateKey, int]
    denominator: int

    @classmethod
    def of(cls, points: str, others: Mapping[RateKey, str]) -> "Scale":
        rates: dict[RateKey, Fraction] = {None: ratio(points)}
        rates |= {key: ratio(rate) for key, rate in others.items()}
        denominator = lcm(*(rate.denominator for rate in rates.values()))
        return cls({key: int(rate * denominator) for key, rate in rates.items()}, denominator)


def steps_value(
    amounts: Sequence[int], rates: Sequence[int], per: int, *, each_line: bool
) -> list[int]:
    """What full steps of `per` give each line, in numerators of its rate.

    Over an order the lines of one rate are added up before their steps are counted, and what the
    steps give is shared by what each line contributed.
    """
    if each_line:
        return [amount // per * rate for amount, rate in zip(amounts, rates, strict=True)]
    values = [0] * len(amounts)
    for rate in set(rates):
        at = [index for index, other in enumerate(rates) if other == rate]
        weights = [amounts[index] for index in at]
        shares = apportion(sum(weights) // per * rate, weights)
        for index, share in zip(at, shares, strict=True):
            values[index] = share
    return values


def shares(
    values: Sequence[int], denominator: int, rounding: Rounding, *, each_line: bool
) -> list[int]:
    """Whole minor units per line of the exact `values / denominator`, rounded where the rule says.

    Over an order the rounded sum is shared by largest remainder, so the parts sum to it. No more
    than the ledger's largest amount: a fact happened and cannot be refused for its size.
    """
    if each_line:
        return within([divided(value, denominator, rounding) for value in values], MINOR_MAX)
    points = divided(sum(values), denominator, rounding)
    parts = apportion(points, values)
    return parts if points <= MINOR_MAX else within(parts, MINOR_MAX)


def within(parts: Sequence[int], most: int) -> list[int]:
    """The parts, or where they come to more than `most` that much, shared as they are."""
    return list(parts) if sum(parts) <= most else apportion(most, parts)
