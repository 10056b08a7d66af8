"""Points that come with a period that is paid for, and fees in points."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from loyalty.effects import AccountingClass, Burn, Effect, Grant, Write
from loyalty.units import ratio
from loyalty.view import View
from loyalty_earning.lifetime import instants
from loyalty_earning.unit_places import unit_places
from loyalty_subscriptions import hearing
from loyalty_subscriptions.config import SubscriptionsConfig
from loyalty_subscriptions.plans import GivenWith, Plan, Price
from loyalty_subscriptions.rows import PaymentRow
from loyalty_subscriptions.standing import known
from loyalty_subscriptions.subscription import Subscription

FEES = "fees"
"""The program's account that fees in points go to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A period of a plan that is to be paid."""

    plan: Plan
    price: Price | None
    starts: datetime
    ends: datetime


def points_of(text: str, unit: str, view: View) -> int:
    """So many points in the unit's minor units, rounded down."""
    return int(ratio(text) * 10 ** unit_places(view, unit))


def gifts(
    config: SubscriptionsConfig, plan: Plan, at: datetime, view: View, *, welcomed: bool
) -> Iterator[Grant]:
    """What comes with a period that was just paid for."""
    for gift in plan.gifts:
        if gift.given_with is GivenWith.FIRST and welcomed:
            continue
        unit = config.gift_unit(gift)
        amount = points_of(gift.points, unit, view)
        terms = gift.terms or config.terms
        when = instants(terms, at, view)
        yield Grant(
            unit=unit, wanted=amount, granted=amount, rule=gift.id, label=gift.label,
            accounting_class=gift.accounting_class, available_at=when.available_at,
            settles_at=when.settles_at, expires_at=when.expires_at, take_back=terms.take_back,
            inputs={"plan": plan.id, "givenWith": gift.given_with.value},
        )  # fmt: skip


def was_welcomed(view: View) -> bool:
    """Whether the member had the welcome of this program before, with whichever subscription."""
    return any(one.welcomed for one in known(view).values())


def can_pay(config: SubscriptionsConfig, price: Price, view: View) -> bool:
    """Whether a fee in points can be burnt now. Who is frozen spends nothing."""
    assert price.points is not None
    unit = config.fee_unit(price)
    frozen = view.member is not None and view.member.status == "FROZEN"
    return not frozen and view.balance(unit).available >= points_of(price.points, unit, view)


def begin_period(
    config: SubscriptionsConfig, one: Subscription, period: Period, at: datetime, view: View
) -> tuple[Subscription, list[Effect]]:
    """A period that is free or paid in points: burn, note the fee, give what comes with it."""
    effects: list[Effect] = []
    amount, unit = 0, ""
    if period.price is not None and period.price.points is not None:
        unit = config.fee_unit(period.price)
        amount = points_of(period.price.points, unit, view)
        effects.append(Burn(unit=unit, amount=amount, to=FEES))
    after, paid = paid_in_points(one, period, amount, unit, at, view)
    effects += paid
    effects += gifts(config, period.plan, at, view, welcomed=was_welcomed(view))
    return replace(after, welcomed=True), effects


def paid_in_points(
    one: Subscription, period: Period, amount: int, unit: str, at: datetime, view: View
) -> tuple[Subscription, list[Effect]]:
    """The subscription with that period paid, and the row that keeps the fee (none of nothing)."""
    assert view.member is not None
    invoice = f"{view.member.id}:{one.reference}:{period.starts.isoformat()}" if amount else ""
    after = hearing.paid(
        replace(one, plan=period.plan.id, next_plan=None), starts=period.starts, ends=period.ends,
        amount=amount, paid_in=unit, invoice=invoice,
    )  # fmt: skip
    after = replace(after, attempts=0, unpaid_since=None, unpaid_until=None)
    if not amount:
        return after, []
    row = PaymentRow(
        provider="points", invoice=invoice, reference=one.reference, plan=period.plan.id,
        amount=amount, paid_in=unit, starts_at=period.starts, ends_at=period.ends, paid_at=at,
        told_by=view.key,
    )  # fmt: skip
    return after, [Write(row=row)]


def give_points_back(unit: str, amount: int, reason: str) -> Grant:
    """A fee in points, or a part of it, goes back to the member."""
    return Grant(
        unit=unit, wanted=amount, granted=amount, rule="refund", label=reason or "Fee given back",
        accounting_class=AccountingClass.SUBSCRIPTION_BENEFIT, counted=False,
    )  # fmt: skip
