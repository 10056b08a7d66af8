"""What a provider tells comes in any order and more than once, and comes to the same.

A paid period is granted once for each invoice, the end of what is paid never moves backwards, and
whatever the order, the same is known in the end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.days import add_months
from loyalty.effects import Emit, Grant, Write
from loyalty.facts import FactKey, MemberRef
from loyalty.setup import Setup
from loyalty.units import Unit
from loyalty.view import MemberView, View
from loyalty_subscriptions.config import SubscriptionsConfig
from loyalty_subscriptions.facts import ChangeReported, Outcome, PaymentReported
from loyalty_subscriptions.rows import PaymentRow, RefundRow, SubscriptionRow
from loyalty_subscriptions.rules.paying import hear_change, hear_payment
from loyalty_subscriptions.subscription import Provider, Subscription
from loyalty_subscriptions.tables import INVOICE, SUBSCRIPTIONS

ADA = UUID(int=7)
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
CONFIG = SubscriptionsConfig.model_validate(
    {
        "unit": "points",
        "plans": [
            {
                "id": "gold", "label": "Gold", "period": "P1M", "stripe_prices": ["price_gold"],
                "prices": [{"money": {"USD": "9.90"}}],
                "gifts": [
                    {"id": "welcome", "label": "Welcome", "points": "100"},
                    {"id": "monthly", "label": "Monthly", "points": "5", "given_with": "each"},
                ],
            },
            {
                "id": "silver", "label": "Silver", "period": "P1M",
                "stripe_prices": ["price_silver"], "prices": [{"money": {"USD": "4.90"}}],
            },
        ],
    }
)  # fmt: skip
SETUP = Setup(
    tenant_id=UUID(int=1), slug="brand", name="Brand", zone=ZoneInfo("America/New_York"), epoch=1,
    currencies=("USD",), units={"points": Unit(code="points")},
)  # fmt: skip
Told = PaymentReported | ChangeReported


@dataclass
class Books:
    """A program's tables in memory, and what its rules gave."""

    subscriptions: dict[tuple[str, str], Subscription] = field(default_factory=dict)
    payments: dict[tuple[str, str], PaymentRow] = field(default_factory=dict)
    given: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def hear(self, fact: Told) -> None:
        """One event, as the ledger would settle it (without its own look at the event's id)."""
        if isinstance(fact, PaymentReported):
            effects: Iterable[Any] = list(hear_payment(CONFIG, fact, self._view(fact)))
        else:
            effects = list(hear_change(CONFIG, fact, self._view(fact)))
        for effect in effects:
            match effect:
                case Write(row=SubscriptionRow(subscription=one)):
                    self.subscriptions[one.key] = one
                case Write(row=PaymentRow() as row):
                    assert row.known == (row.key in self.payments)
                    self.payments[row.key] = replace(row, known=True)
                case Write(row=RefundRow() as row):
                    key = (row.provider, row.invoice)
                    most = max(row.refunded, self.payments[key].refunded)
                    self.payments[key] = replace(self.payments[key], refunded=most)
                case Grant():
                    self.given.append(effect.rule)
                case Emit():
                    self.told.append(effect.fact.KIND)

    def ends(self) -> dict[tuple[str, str], datetime | None]:
        return {key: one.covered_until for key, one in self.subscriptions.items()}

    def _view(self, fact: Told) -> View:
        invoice = getattr(fact, "invoice", "")
        return View(
            program="club", setup=SETUP, key=FactKey("in:subscriptions/club", fact.event),
            member=MemberView(id=ADA, external_id="ada"),
            needs={
                SUBSCRIPTIONS: list(self.subscriptions.values()),
                INVOICE: self.payments.get((fact.provider, invoice)),
            },
        )  # fmt: skip


def month(number: int) -> datetime:
    return START.replace(
        year=(day := add_months(START.date(), number)).year, month=day.month, day=day.day
    )


def fee(reference: str, number: int, event: str, **more: Any) -> PaymentReported:
    """A month's fee of a subscription at Stripe, told when that month begins."""
    given: dict[str, Any] = {
        "member": MemberRef(id=ADA), "occurred_at": month(number) + timedelta(hours=number),
        "provider": Provider.STRIPE, "reference": reference, "event": event,
        "invoice": f"in_{reference}_{number}", "outcome": Outcome.PAID, "price": "price_gold",
        "amount": 990, "currency": "USD", "starts_at": month(number), "ends_at": month(number + 1),
        **more,
    }  # fmt: skip
    return PaymentReported(**given)


@st.composite
def stories(draw: st.DrawFn) -> list[Told]:
    """What Stripe has to tell of one or two subscriptions of a member, in its own order."""
    told: list[Told] = []
    for reference in draw(st.sampled_from([["sub_a"], ["sub_a", "sub_b"]])):
        for number in range(draw(st.integers(0, 5))):
            for name in draw(st.sampled_from([["paid"], ["paid", "succeeded"]])):
                told.append(fee(reference, number, f"evt_{reference}_{name}_{number}"))
            if draw(st.booleans()):
                attempt = draw(st.integers(1, 4))
                failed = {"outcome": Outcome.FAILED, "attempt": attempt}
                told.append(fee(reference, number, f"evt_{reference}_f{number}", **failed))
        if draw(st.booleans()):
            lost = draw(st.integers(0, 6))  # a fee that was never paid
            failed = {"outcome": Outcome.FAILED, "attempt": 2}
            told.append(fee(reference, lost, f"evt_{reference}_lost", **failed))
        for number in range(draw(st.integers(0, 4))):
            at = START + timedelta(days=draw(st.integers(0, 150)), seconds=number)
            told.append(
                ChangeReported(
                    member=MemberRef(id=ADA), occurred_at=at, provider=Provider.STRIPE,
                    reference=reference, event=f"evt_{reference}_c{number}",
                    price=draw(st.sampled_from(["price_gold", "price_silver", None])),
                    trial_until=draw(st.sampled_from([None, START + timedelta(days=14)])),
                    cancels=draw(st.booleans()), paused=draw(st.booleans()),
                    closed=draw(st.sampled_from([False, False, False, True])),
                )
            )  # fmt: skip
    return told


def heard(told: Sequence[Told]) -> Books:
    """All of it, in this order; on the way no end of what is paid moves backwards."""
    books = Books()
    for fact in told:
        before = books.ends()
        books.hear(fact)
        for key, until in before.items():
            now = books.ends()[key]
            assert until is None or (now is not None and now >= until), (fact, until, now)
    return books


def _differ(one: Books, other: Books) -> list[Any]:
    """What is known differently, by subscription and field."""
    assert one.subscriptions.keys() == other.subscriptions.keys()
    return [
        (key[1], name, getattr(mine, name), getattr(other.subscriptions[key], name))
        for key, mine in one.subscriptions.items()
        for name in Subscription.__slots__
        if getattr(mine, name) != getattr(other.subscriptions[key], name)
    ]


@settings(max_examples=200, deadline=None)
@given(told=stories(), data=st.data())
def test_any_order_and_any_repetition_come_to_the_same(told: list[Told], data: Any) -> None:
    again = data.draw(st.lists(st.sampled_from(told), max_size=6)) if told else []
    shuffled = data.draw(st.permutations([*told, *again]))

    first, second = heard(told), heard(shuffled)

    assert _differ(second, first) == []
    assert second.payments.keys() == first.payments.keys()
    assert sorted(second.given) == sorted(first.given)


@settings(max_examples=200, deadline=None)
@given(told=stories(), data=st.data())
def test_each_invoice_is_granted_once(told: list[Told], data: Any) -> None:
    shuffled = data.draw(st.permutations([*told, *told]))

    books = heard(shuffled)

    paid = {
        one.invoice
        for one in told
        if isinstance(one, PaymentReported) and one.outcome is Outcome.PAID
    }
    assert {invoice for _, invoice in books.payments} == paid
    assert books.given.count("monthly") == len(paid)
    assert books.given.count("welcome") == min(1, len(paid))
    for reference in ("sub_a", "sub_b"):
        mine = [one for one in told if isinstance(one, PaymentReported)]
        ends = [
            one.ends_at
            for one in mine
            if one.reference == reference and one.outcome is Outcome.PAID and one.ends_at
        ]
        if ends:
            assert books.subscriptions[Provider.STRIPE, reference].paid_until == max(ends)


@settings(max_examples=100, deadline=None)
@given(
    data=st.data(),
    backs=st.lists(st.sampled_from([0, 100, 400, 990]), min_size=1, max_size=4, unique=True),
)
def test_a_refund_may_be_told_before_its_fee(data: Any, backs: list[int]) -> None:
    told = [
        fee("sub_a", 0, "evt_paid"),
        *(
            fee("sub_a", 0, f"evt_back_{n}", outcome=Outcome.REFUNDED, amount=back)
            for n, back in enumerate(backs)
        ),
    ]

    books = heard(data.draw(st.permutations([*told, *told])))

    row = books.payments[Provider.STRIPE, "in_sub_a_0"]
    assert (row.refunded, row.amount, row.paid_at) == (max(backs), 990, told[0].occurred_at)
    assert books.subscriptions[Provider.STRIPE, "sub_a"].paid_back == max(backs)
    assert books.given == ["monthly", "welcome"] or books.given == ["welcome", "monthly"]


def test_a_month_ends_right_whatever_comes_first() -> None:
    books = heard([fee("sub_a", number, f"evt_{number}") for number in (2, 0, 1)])

    one = books.subscriptions[Provider.STRIPE, "sub_a"]
    assert (one.anchor, one.started_at, one.paid_until) == (START, START, month(3))
