"""Rates as whole numbers over one denominator, so that a basket is counted in integers alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from loyalty.units import MINOR_MAX, Rounding, apportion, divided, ratio


@dataclass(frozen=True, slots=True)
class Scale:
    """Points per step: `numerators[category] / denominator`, the plain rate under None."""

    numerators: Mapping[str | None, int]
    denominator: int

    @classmethod
    def of(cls, points: str, by_category: Mapping[str, str]) -> "Scale":
        rates: dict[str | None, Fraction] = {None: ratio(points)}
        rates |= {category: ratio(rate) for category, rate in by_category.items()}
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
        parts = [divided(value, denominator, rounding) for value in values]
    else:
        parts = apportion(divided(sum(values), denominator, rounding), values)
    return parts if sum(parts) <= MINOR_MAX else apportion(MINOR_MAX, parts)
