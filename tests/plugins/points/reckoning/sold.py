"""A purchase: what a rule counts of it, how it was paid, and what is left of it."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from loyalty.purchase import Line
from tests.plugins.points.reckoning.arithmetic import rounded, shared

Rule = dict[str, Any]
Tenders = list[tuple[str, int]]
ONE = Fraction(1)


def is_under(line: Line, path: str) -> bool:
    return line.category is not None and f"{line.category}/".startswith(f"{path}/")


def is_named(line: Line, lists: Rule) -> bool:
    plain = {name: str(value).lower() for name, value in line.attributes.items()}
    return (
        any(is_under(line, path) for path in lists.get("categories", ()))
        or line.sku in lists.get("skus", ())
        or any(plain.get(name) in wanted for name, wanted in lists.get("attributes", {}).items())
    )


@dataclass
class Gift:
    """What a rule gave for a purchase."""

    rule: Rule
    unit: str
    granted: int
    wanted: int
    shares: dict[str, int]
    is_base: bool
    under: frozenset[str]  # the caps that count it
    taken: dict[str, int] = field(default_factory=dict)

    @property
    def left(self) -> int:
        return self.granted - sum(self.taken.values())


@dataclass
class Sold:
    """A purchase and what came back of it."""

    at: datetime
    lines: tuple[Line, ...]
    tax_included: bool
    tenders: Tenders
    currency: str = "USD"
    back: dict[str, Fraction] = field(default_factory=dict)
    gifts: list[Gift] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)  # by rules that add up, in their order
    bent: set[str] = field(default_factory=set)  # rules that were outbid or bounded

    @property
    def is_gone(self) -> bool:
        return all(self.back.get(line.id) == ONE for line in self.lines)

    @property
    def total(self) -> int:
        return sum(line.net + (0 if self.tax_included else line.tax) for line in self.lines)

    @property
    def left(self) -> "Sold":
        """As if no more than this had been bought."""
        if not self.back:
            return self
        lines = []
        for line in self.lines:
            part = self.back.get(line.id, Fraction(0))
            names = ("amount", "discount", "tax", "quantity")
            kept = {n: getattr(line, n) - rounded(getattr(line, n) * part, "up") for n in names}
            lines += [replace(line, **kept)] if part != ONE else []
        rest = replace(self, lines=tuple(lines), back={})
        paid = shared(max(rest.total, 0), [amount for _, amount in self.tenders])
        rest.tenders = [(kind, part) for (kind, _), part in zip(self.tenders, paid, strict=True)]
        return rest

    def paid(self, rule: Rule) -> Fraction:
        """Which part of it was paid as the rule wants it."""
        only, never = rule.get("paid_with"), rule.get("not_paid_with")
        if only is None and never is None:
            return ONE
        if (paid := sum(amount for _, amount in self.tenders)) <= 0:
            return Fraction(only is None)
        return Fraction(
            sum(
                amount
                for kind, amount in self.tenders
                if (only is None or kind in only["kinds"])
                and not (never is not None and kind in never["kinds"])
            ),
            paid,
        )

    def counts(self, rule: Rule) -> list[tuple[Line, int]]:
        """The lines that a rule is about, with what counts of each."""
        lines = [
            line
            for line in self.lines
            if line.kind.value in rule.get("kinds", ["PRODUCT"])
            and ("include" not in rule or is_named(line, rule["include"]))
            and not is_named(line, rule.get("exclude", {}))
        ]
        match rule.get("count", "amount"):
            case "quantity":
                return [(line, line.quantity) for line in lines]
            case "visit":
                return list(zip(lines, shared(1000, [line.net for line in lines]), strict=True))
            case _:
                return [(line, self._amount(rule.get("base", "net"), line)) for line in lines]

    def _amount(self, base: str, line: Line) -> int:
        amount = line.amount - (line.discount if base.startswith("net") else 0)
        if base.endswith("_with_tax") != self.tax_included:
            amount += -line.tax if self.tax_included else line.tax
        return max(amount, 0)

    def spent(self, rule: Rule) -> list[tuple[Line, int]]:
        """The same in money."""
        found = self.counts(rule)
        plain = rule.get("count", "amount") == "amount"
        return found if plain else [(line, line.net) for line, _ in found]

    def is_in_effect(self, rule: Rule, zone: ZoneInfo) -> bool:
        """Whether the rule looks at its currency and its day."""
        rated = ["USD"] if "percent" in rule else rule.get("per", [self.currency])
        if "bonus" not in rule and self.currency not in rated:
            return False
        days, today = rule.get("effective", {}), self.at.astimezone(zone).date()
        first, last = days.get("starts", "2000-01-01"), days.get("ends", "2999-12-31")
        return date.fromisoformat(first) <= today <= date.fromisoformat(last)

    def is_below(self, rule: Rule) -> bool:
        """Whether it does not come to the rule's minimum."""
        if "minimum_purchase" not in rule:
            return False
        least = rule["minimum_purchase"].get(self.currency)
        spent = sum(amount for _, amount in self.spent(rule)) * self.paid(rule)
        return least is None or spent < 100 * Fraction(least)

    def lost(self, rule: Rule) -> bool:
        """Whether so much came back that the rule takes all of its points."""
        if rule.get("minimum_lost") != "recompute" or "minimum_purchase" not in rule:
            return False
        kept = sum(a * (1 - self.back.get(line.id, Fraction(0))) for line, a in self.spent(rule))
        least = rule["minimum_purchase"].get(self.currency)
        return least is not None and kept * self.paid(rule) < 100 * Fraction(least)

    def is_over(self, rule: Rule) -> bool:
        """Whether all came back of a visit that was charged for; of nothing but free goods, the
        first."""
        if rule.get("count", "amount") != "visit":
            return False
        lines = [line for line, _ in self.counts(rule)]
        charged = [line for line in lines if line.net] or lines[:1]
        return all(self.back.get(line.id) == ONE for line in charged)

    def steps(self, rule: Rule) -> Fraction:
        """How much one step of its rate takes."""
        if "percent" in rule:
            return Fraction(10_000)
        if rule.get("count", "amount") == "amount":
            return 100 * Fraction(rule["per"][self.currency])
        return 1000 * Fraction(rule.get("per_units", "1"))
