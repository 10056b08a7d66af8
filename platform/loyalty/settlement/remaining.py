"""What is left of a sale after returns: the goods that stayed, and what they were granted.

It is a function of what came back so far alone, so counters that are told of it fall by the same
in any order of returns. Of what came back as a whole nothing is left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any

from loyalty.codec import Codec
from loyalty.facts import Fact, PurchaseRecorded
from loyalty.purchase import Line, LineKind, total_of
from loyalty.purchase_left import PurchaseLeft
from loyalty.settlement.measuring import granted_view
from loyalty.settlement.sale import WHOLE, Sale
from loyalty.units import Rounding, apportion, rounded
from loyalty.view import GrantView, Measured

ONE = Fraction(1)
_KEYS = tuple(one.name for one in fields(PurchaseRecorded))


@dataclass(frozen=True, slots=True)
class Back:
    """What came back of a sale so far: parts by line, what was taken by (grant, line), and what of
    that the program bore by grant."""

    returned: Mapping[str, Fraction]
    taken: Mapping[tuple[int, str], int]
    borne: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, sale: Sale) -> "Back":
        """By now."""
        return cls(sale.returned, sale.taken, sale.borne)


def part_of_whole(fact: Fact, returned: Mapping[str, Fraction]) -> Fraction:
    """Which part of the whole purchase has come back, by what was charged."""
    if not isinstance(fact, PurchaseRecorded):
        return returned.get(WHOLE, Fraction(0))
    return _part_of(fact.lines, [line.net for line in fact.lines], returned)


def part_of_goods(fact: Fact, returned: Mapping[str, Fraction]) -> Fraction:
    """The same of its products alone, by what they came to before tax: what it cost to send them
    does not come back with them."""
    if not isinstance(fact, PurchaseRecorded):
        return returned.get(WHOLE, Fraction(0))
    goods = [line for line in fact.lines if line.kind is LineKind.PRODUCT] or list(fact.lines)
    taxed = fact.tax_included
    amounts = [max(line.net - line.tax, 0) if taxed else line.net for line in goods]
    return _part_of(goods, amounts, returned)


def _part_of(
    lines: Sequence[Line], amounts: Sequence[int], returned: Mapping[str, Fraction]
) -> Fraction:
    if all(returned.get(line.id) == ONE for line in lines):
        return ONE
    parts = [returned.get(line.id, Fraction(0)) for line in lines]
    if (charged := sum(amounts)) == 0:
        return sum(parts, Fraction(0)) / len(lines)
    back = (amount * part for amount, part in zip(amounts, parts, strict=True))
    return sum(back, Fraction(0)) / charged


def part_of_share(
    grant: Mapping[str, Any], line: str, returned: Mapping[str, Fraction]
) -> Fraction:
    """Which part of a line's share of a grant goes back, if so much came back (of the `WHOLE`, too)
    so far."""
    if _lost(grant, returned):
        return ONE
    if grant.get("whole", False):
        return Fraction(returned.get(WHOLE) == ONE)
    return returned.get(line, Fraction(0))


def _lost(grant: Mapping[str, Any], returned: Mapping[str, Fraction]) -> bool:
    """Whether so much came back that the grant's conditions do not hold for what is left."""
    return any(
        sum(amount * (1 - returned.get(line, 0)) for line, amount in least["of"].items())
        < least["amount"]
        for least in grant.get("while", ())
    )


def remaining(codec: Codec, sale: Sale, back: Back) -> Measured:
    """What counters measure of it: the root and each emitted fact, with what is left granted.

    :raises KeyError: a fact of a plugin that is gone
    """
    part = part_of_whole(sale.fact, back.returned)
    if part == ONE and _all_of_it(sale.fact, back.returned):
        return []
    return _measured(codec, sale, back, part, _left(sale.fact, back.returned))


def borne(codec: Codec, sale: Sale, back: Back) -> Measured:
    """What is left where nothing is: what was spent of it.

    :raises KeyError: a fact of a plugin that is gone
    """
    return _measured(codec, sale, back, ONE, sale.fact) if any(back.borne.values()) else []


def _measured(codec: Codec, sale: Sale, back: Back, part: Fraction, root: Fact) -> Measured:
    facts, member = [root], sale.fact.member
    facts += [codec.load(row["kind"], row["payload"], member) for row in sale.emitted]
    grants: list[list[GrantView]] = [[] for _ in facts]
    for index, row in enumerate(sale.grants):
        if not row.get("uncounted"):
            left = _granted(row, index, back, part)
            grants[row.get("of", 0)].append(left)
    return list(zip(facts, grants, strict=True))


def _all_of_it(fact: Fact, returned: Mapping[str, Fraction]) -> bool:
    """What nothing was charged for stays, with its points, until it comes back itself."""
    if not isinstance(fact, PurchaseRecorded):
        return True
    return all(returned.get(line.id) == ONE for line in fact.lines)


def _granted(row: Mapping[str, Any], index: int, back: Back, part: Fraction) -> GrantView:
    lines = {line: share - back.taken.get((index, line), 0) for line, share in row["lines"].items()}
    granted, cut = sum(lines.values()), row["wanted"] - row["granted"]
    postponed: Mapping[str, int] | None = row.get("postponed")
    if postponed and "cut" in row:
        left = _cut(row, lines, {**back.returned, WHOLE: part})
        shares = apportion(left, [*postponed.values(), cut - sum(postponed.values())])
        cut, postponed = left, dict(zip(postponed, shares, strict=False))
    else:  # recorded before it was kept by line, or nothing of it is given later
        postponed = postponed and {name: _less(one, part) for name, one in postponed.items()}
        cut = _less(cut, part)
    return granted_view(row)._replace(
        lines=lines, granted=granted, wanted=granted + cut, postponed=postponed,
        borne=back.borne.get(index, 0),
    )  # fmt: skip


def _cut(row: Mapping[str, Any], left: Mapping[str, int], returned: Mapping[str, Fraction]) -> int:
    """How much of it is left: what lines would have, were nothing cut, beside what they have."""
    return sum(
        _less(share + row["lines"].get(line, 0), part_of_share(row, line, returned))
        - left.get(line, 0)
        for line, share in row["cut"].items()
    )


def _left(fact: Fact, returned: Mapping[str, Fraction]) -> Fact:
    if not isinstance(fact, PurchaseRecorded) or not returned:
        return fact
    lines = tuple(
        _line(line, part)
        for line in fact.lines
        if (part := returned.get(line.id, Fraction(0))) != ONE
    )
    beside = fact.total - total_of(fact.lines, tax_included=fact.tax_included)
    total = max(0, total_of(lines, tax_included=fact.tax_included) + beside)
    paid = apportion(total, [tender.amount for tender in fact.tenders])
    tenders = tuple(
        replace(tender, amount=amount) for tender, amount in zip(fact.tenders, paid, strict=True)
    )
    left = {name: getattr(fact, name) for name in _KEYS}
    left |= {"lines": lines, "total": total, "tenders": tenders}
    return PurchaseLeft(**left, bought=fact)


def _line(line: Line, part: Fraction) -> Line:
    return replace(
        line, amount=_less(line.amount, part), discount=_less(line.discount, part),
        tax=_less(line.tax, part), quantity=_less(line.quantity, part),
    )  # fmt: skip


def _less(amount: int, part: Fraction) -> int:
    return amount - rounded(amount * part, Rounding.HALF_UP)
