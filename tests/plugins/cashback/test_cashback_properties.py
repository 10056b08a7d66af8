"""Whatever is bought, comes back in parts, is paid out and fails: the sums agree to the cent."""

from collections import Counter
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.facts import MemberRef
from loyalty.purchase import Line
from loyalty.units import Rounding, format_minor, parse_minor, rounded
from loyalty_cashback.commands import RecordPayout, RequestPayout
from loyalty_cashback.payout import State, payout_id
from tests.plugins.cashback.conftest import CashTill
from tests.plugins.points.till import ADA, TENANT

CURRENCIES = {"USD": "cash", "EUR": "cash-eur"}
CATEGORIES = (None, "fuel", "fuel/diesel", "garden")
reached: Counter[str] = Counter()


@st.composite
def rules(draw: st.DrawFn, at: int) -> dict[str, Any]:
    keys: dict[str, Any] = {
        "percent": draw(st.sampled_from(["1", "2.5", "3.333", "5", "100"])),
        "rounding": draw(st.sampled_from(["floor", "half_up", "half_even", "ceiling"])),
    }
    if draw(st.booleans()):
        keys["categories"] = [{"category": "fuel", "percent": draw(st.sampled_from(["0", "7.77"]))}]
    if draw(st.integers(0, 3)) == 0:  # mostly not: what adds up a period is rounded once
        keys["rounded"] = "line"
    if draw(st.booleans()):  # mostly small ones: a few baskets must get there
        most = draw(st.sampled_from(["0.05", "0.50", "9.99"]))
        keys["caps"] = [{"points": most, "period": "month"}]
    if at and draw(st.booleans()):
        keys["promotion"] = True
    elif "rounded" not in keys and draw(st.booleans()):
        keys |= {"group": "best", "over": {"period": draw(st.sampled_from(["day", "month"]))}}
    return keys


@st.composite
def programs(draw: st.DrawFn) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    found = [draw(rules(at)) for at in range(draw(st.integers(1, 3)))]
    if draw(st.booleans()):
        found.append({"bonus": {"factor": draw(st.sampled_from(["1.5", "2.111"]))}})
    keys: dict[str, Any] = {
        "other_currencies": [{"currency": "EUR", "unit": "cash-eur"}],
        "payout": {"on_request": {}},
        "groups": [{"id": "best", "grants": "best"}],
    }
    if draw(st.booleans()):
        keys["terms"] = {"pending_days": 14}
    return found, keys


@st.composite
def baskets(draw: st.DrawFn) -> tuple[str, tuple[Line, ...]]:
    lines = tuple(
        Line(id=str(at), amount=draw(st.integers(1, 90_00)),
             category=draw(st.sampled_from(CATEGORIES)))
        for at in range(draw(st.integers(1, 3)))
    )  # fmt: skip
    return draw(st.sampled_from(sorted(CURRENCIES))), lines


class Books:
    """A till beside its own books: what was granted by line, what came back, what was settled of
    sums by that (how much, points/test_points_reckoned.py says), what was paid."""

    def __init__(self, till: CashTill) -> None:
        self.till = till
        self.granted: list[tuple[str, str, str, int, int]] = []  # unit, order, line, share, bought
        self.back: Counter[tuple[str, str]] = Counter()
        self.settled: Counter[str] = Counter()
        self.out: dict[UUID, list[Any]] = {}  # unit, amount, state, redemption

    def buys(self, currency: str, lines: tuple[Line, ...]) -> None:
        self.till.buys(*lines, currency=currency)
        bought = {line.id: line.amount for line in lines}
        for grant in self.till.body["grants"]:
            reached["cut"] += "cutBy" in grant and grant["wanted"] > 0
            for line, share in grant["lines"].items():
                self.granted.append((grant["unit"], self.till.order, line, share, bought[line]))

    def returns(self, order: str, line: str, part: int) -> None:
        self.till.brings_back(order, **{f"_{line}": format_minor(part, 2)})
        self.back[order, line] += part
        reached["returns"] += 1
        for grant in self.till.body["grants"]:
            self.settled[grant["unit"]] += grant["granted"]
            reached["settled"] += 1

    def asks(self, unit: str) -> None:
        """All that is available is paid out, if there is anything."""
        ident = payout_id(TENANT, "test", str(len(self.out)))
        account = self.till.batch.book.accounts.get((ADA, unit, "main"))
        lots = self.till.batch.book.open_lots(account) if account else ()
        amount = sum(lot.remaining for lot in lots if lot.available(self.till.at))
        if not amount:
            return
        self.till.tells(
            RequestPayout(member=MemberRef(id=ADA), occurred_at=self.till.at, program="club",
                          payout=ident, unit=unit)
        )  # fmt: skip
        redemption = list(self.till.batch.redemptions)[-1]
        self.out[ident] = [unit, amount, State.REQUESTED, redemption]
        reached["payouts"] += 1

    def hears(self, ident: UUID, state: State) -> None:
        _, _, before, redemption = self.out[ident]
        self.till.tells(
            RecordPayout(member=MemberRef(id=ADA), occurred_at=self.till.at, program="club",
                         payout=ident, redemption=redemption, state=state)
        )  # fmt: skip
        if before not in (State.FAILED, State.RETURNED):
            self.out[ident][2] = state
            reached["came back"] += state.gives_back

    def agree(self) -> None:
        """What the ledger has, and what was paid, is what was granted less what came back."""
        for unit in CURRENCIES.values():
            owed = sum(
                share - rounded(
                    Fraction(share * self.back[order, line], bought), Rounding.HALF_UP
                )
                for of, order, line, share, bought in self.granted if of == unit
            ) + self.settled[unit]  # fmt: skip
            paid = sum(
                amount for of, amount, state, _ in self.out.values()
                if of == unit and not state.gives_back
            )  # fmt: skip
            has = parse_minor(self.till.has(unit), 2, field="has", signed=True)
            assert has == owed - paid, (unit, has, owed, paid)
            reached["owed"] += has < 0


@settings(max_examples=120, deadline=None)
@given(made=programs(), orders=st.lists(baskets(), min_size=1, max_size=4), data=st.data())
def test_to_the_cent_at_every_step_in_any_order_of_partial_returns(
    made: tuple[list[dict[str, Any]], dict[str, Any]],
    orders: list[tuple[str, tuple[Line, ...]]],
    data: st.DataObject,
) -> None:
    books = Books(CashTill(*made[0], **made[1]))
    steps: list[tuple[str, Any]] = []
    for currency, lines in orders:
        books.buys(currency, lines)
        books.agree()
        for line in lines:
            left = line.amount
            while left:
                part = data.draw(st.integers(1, left))
                steps.append(("return", (books.till.order, line.id, part)))
                left -= part
    steps += [("ask", unit) for unit in CURRENCIES.values() for _ in range(2)]
    steps += [("hear", state) for state in (State.PAID, State.FAILED, State.RETURNED)]
    books.till.comes(data.draw(st.sampled_from(["2026-03-10T13:00", "2026-04-10T12:00"])))
    for what, which in data.draw(st.permutations(steps)):
        if what == "return":
            books.returns(*which)
        elif what == "ask":
            books.asks(which)
        elif books.out:
            books.hears(data.draw(st.sampled_from(sorted(books.out))), which)
        books.agree()
    for unit in CURRENCIES.values():
        paid = sum(
            amount for of, amount, state, _ in books.out.values()
            if of == unit and not state.gives_back
        )  # fmt: skip
        assert books.till.has(unit) == format_minor(-paid, 2)


@settings(max_examples=60, deadline=None)
@given(
    orders=st.lists(baskets(), min_size=1, max_size=6),
    percent=st.sampled_from(["1", "2.5", "3.333"]),
    fuel=st.sampled_from(["0", "7.77"]),
    rounding=st.sampled_from(list(Rounding)),
    data=st.data(),
)
def test_over_a_period_the_sum_is_rounded_once_whatever_comes_back(
    orders: list[tuple[str, tuple[Line, ...]]],
    percent: str,
    fuel: str,
    rounding: Rounding,
    data: st.DataObject,
) -> None:
    rule = {
        "percent": percent, "rounding": rounding, "over": {"period": "year"},
        "categories": [{"category": "fuel", "percent": fuel}],
    }  # fmt: skip
    till = CashTill(rule)
    left: dict[tuple[str, str], tuple[Fraction, int]] = {}
    parts = []

    def agrees() -> None:
        exact = sum((rate * amount for rate, amount in left.values()), Fraction(0)) / 100
        assert till.has() == format_minor(rounded(exact, rounding), 2)
        reached["rounded"] += exact.denominator > 1

    for _, lines in orders:
        till.buys(*lines)
        for line in lines:
            rate = Fraction(fuel if (line.category or "").startswith("fuel") else percent)
            left[till.order, line.id] = rate, line.amount
            first = data.draw(st.integers(1, line.amount))
            parts += [(till.order, line.id, one) for one in (first, line.amount - first) if one]
        agrees()
    for order, line_id, part in data.draw(st.permutations(parts)):
        till.brings_back(order, **{f"_{line_id}": format_minor(part, 2)})
        rate, amount = left[order, line_id]
        left[order, line_id] = rate, amount - part
        agrees()
    assert till.has() == "0.00"


@pytest.mark.parametrize(
    ("situation", "floor"),
    [("returns", 200), ("payouts", 30), ("came back", 15), ("cut", 20), ("owed", 30),
     ("rounded", 20), ("settled", 10)],
)  # fmt: skip
def test_the_interesting_situations_were_reached(situation: str, floor: int) -> None:
    assert reached[situation] >= floor, reached
