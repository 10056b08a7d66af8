"""Which rules a line of a basket can bring anything, by what their lists name of it."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial

from loyalty.purchase import Line
from loyalty_earning.categories import nearest
from loyalty_earning.counting import lines_among
from loyalty_earning.earning_rule import EarningRule
from loyalty_earning.rates import CATEGORIES_KEPT
from loyalty_earning.selection import Selection

KINDS_KEPT = 1_000  # of lines that are alike to all rules


class Reach:
    """`rules` by the bits that stand for them.

    To rules, lines are alike that are of one kind and of which lists name the same: the same
    product or brand, if they name it at all, and the same nearest category. So what rules say of a
    line is asked once for all that are like it.
    """

    def __init__(self, rules: Mapping[int, EarningRule]) -> None:
        asked = {bit: rule for bit, rule in rules.items() if _is_told_by_line(rule)}
        lists = [one for rule in asked.values() for one in _lists(rule)]
        self._asked = asked
        self._others = sum(rules.keys() - asked.keys())
        self._skus = frozenset(sku for one in lists for sku in one.skus)
        self._brands = frozenset(brand for one in lists for brand in one.brands)
        categories = {path for one in lists for path in one.categories}
        categories |= {one.category for rule in asked.values() for one in rule.categories}
        known = frozenset(categories)
        self._category = lru_cache(CATEGORIES_KEPT)(partial(nearest, known=known))
        self._found: dict[tuple[str | None, ...], int] = {}

    def bits(self, lines: Iterable[Line]) -> int:
        """Of the rules that any of the lines can bring something."""
        bits, found, category = self._others, self._found, self._category
        skus, brands = self._skus, self._brands
        for line in lines:
            sku, brand = line.sku, line.brand
            like = (
                line.kind, category(line.category), sku if sku in skus else None,
                brand if brand in brands else None,
            )  # fmt: skip
            if (of_line := found.get(like)) is None:
                if len(found) == KINDS_KEPT:
                    found.clear()
                of_line = found[like] = self._bits_of(line)
            bits |= of_line
        return bits

    def _bits_of(self, line: Line) -> int:
        return sum([bit for bit, rule in self._asked.items() if _brings(rule, line)])


def _brings(rule: EarningRule, line: Line) -> bool:
    """Whether a rule may have anything to say because of a line: beside its rates also that it
    missed its minimum, or how often it gave before."""
    if not lines_among(rule, (line,)):
        return False
    return _says_more(rule) or any(rule.tariff.rates_of((line,)))


def _says_more(rule: EarningRule) -> bool:
    """Whether it may have something to say of lines without a rate."""
    more = rule.minimum_purchase or rule.limits or rule.over or rule.chance or rule.bonus
    return bool(more or rule.levels or rule.brackets)


def _is_told_by_line(rule: EarningRule) -> bool:
    """Whether neither attributes nor what a member picked decide which lines it is about."""
    return not (rule.choices or any(one.attributes for one in _lists(rule)))


def _lists(rule: EarningRule) -> Sequence[Selection]:
    return (rule.include, rule.exclude, *rule.rates)
