"""Stripe's events as facts. What a program does not need to know stands for no fact.

A subscription names its member in its metadata, under `loyalty_member`: the tenant's own id of the
member. Both shapes are read in which Stripe's API versions write an invoice: its subscription and
price at the top, or under `parent` and `pricing`.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from loyalty.facts import Fact, MemberRef
from loyalty.plugin import InboundEvent
from loyalty.units import currency_places
from loyalty_subscriptions.facts import ChangeReported, Outcome, PaymentReported
from loyalty_subscriptions.subscription import Provider

MEMBER = "loyalty_member"
PAID = ("invoice.paid", "invoice.payment_succeeded")
FAILED = ("invoice.payment_failed",)
CHANGED = "customer.subscription."
REFUNDED = ("charge.refunded",)
# Amounts are in the smallest part as Stripe counts it, which is not ISO's for every currency.
WHOLE = {
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
}  # fmt: skip
THOUSANDTHS = {"BHD", "JOD", "KWD", "OMR", "TND"}
LATEST = 10_000_000_000  # the year 2286

Object = Mapping[str, Any]


def event(payload: Object) -> InboundEvent:
    """One delivery, which is one event.

    :raises ValueError: it is none of Stripe's
    """
    if payload.get("object") != "event" or not isinstance(payload.get("id"), str):
        raise ValueError("is no event of Stripe")
    ident, kind, told = payload["id"], payload["type"], payload["data"]["object"]
    at = _instant(payload["created"])
    if kind in PAID:
        facts = _invoice(told, Outcome.PAID, ident, at)
    elif kind in FAILED:
        facts = _invoice(told, Outcome.FAILED, ident, at)
    elif kind in REFUNDED:
        facts = _refund(told, ident, at)
    elif kind.startswith(CHANGED):
        facts = _subscription(told, kind, ident, at)
    else:
        facts = iter(())
    return InboundEvent(event_id=ident, facts=tuple(facts))


def _invoice(invoice: Object, outcome: Outcome, ident: str, at: datetime) -> Iterator[Fact]:
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    reference = invoice.get("subscription") or details.get("subscription")
    lines = (invoice.get("lines") or {}).get("data") or []
    told = [details, invoice.get("subscription_details") or {}, *lines, invoice]
    member = _member(told)
    if reference is None or member is None or not lines:
        return  # no subscription, or one that is nobody's here
    line = max(lines, key=lambda one: (one["period"]["end"], one.get("amount") or 0))
    currency = str(invoice["currency"]).upper()
    amount = invoice["amount_paid" if outcome is Outcome.PAID else "amount_due"]
    yield PaymentReported(
        member=member, occurred_at=at, provider=Provider.STRIPE, reference=str(reference),
        event=ident, invoice=str(invoice["id"]), outcome=outcome, price=_price(line),
        amount=_minor(amount, currency), currency=currency,
        starts_at=_instant(line["period"]["start"]), ends_at=_instant(line["period"]["end"]),
        attempt=max(1, int(invoice.get("attempt_count") or 1)),
        adjusts=invoice.get("billing_reason") == "subscription_update",
    )  # fmt: skip


def _subscription(told: Object, kind: str, ident: str, at: datetime) -> Iterator[Fact]:
    member = _member([told])
    if member is None:
        return
    items = (told.get("items") or {}).get("data") or []
    trial, status = told.get("trial_end"), told.get("status")
    yield ChangeReported(
        member=member, occurred_at=at, provider=Provider.STRIPE, reference=str(told["id"]),
        event=ident, price=_price(items[0]) if items else None,
        trial_until=None if trial is None else _instant(trial),
        cancels=bool(told.get("cancel_at_period_end") or told.get("cancel_at")),
        paused=status == "paused" or told.get("pause_collection") is not None,
        closed=kind == f"{CHANGED}deleted" or status in ("canceled", "incomplete_expired"),
    )  # fmt: skip


def _refund(charge: Object, ident: str, at: datetime) -> Iterator[Fact]:
    member, invoice = _member([charge]), charge.get("invoice")
    if member is None or invoice is None:
        return
    currency = str(charge["currency"]).upper()
    reference = (charge.get("metadata") or {}).get("loyalty_subscription", "")
    yield PaymentReported(
        member=member, occurred_at=at, provider=Provider.STRIPE, reference=str(reference),
        event=ident, invoice=str(invoice), outcome=Outcome.REFUNDED,
        amount=_minor(charge["amount_refunded"], currency), currency=currency,
    )  # fmt: skip


def _member(told: list[Object]) -> MemberRef | None:
    for one in told:
        named = (one.get("metadata") or {}).get(MEMBER)
        if isinstance(named, str) and named:
            return MemberRef(external_id=named)
    return None


def _price(line: Object) -> str | None:
    """The id of the price of a line or an item."""
    price = line.get("price") or (line.get("pricing") or {}).get("price_details", {}).get("price")
    found = price.get("id") if isinstance(price, Mapping) else price
    return found if isinstance(found, str) else None


def _minor(amount: int, currency: str) -> int:
    """Stripe's smallest parts in ours."""
    if not isinstance(amount, int) or amount < 0 or (ours := currency_places(currency)) is None:
        raise ValueError("an amount is a whole number of a currency's smallest part")
    theirs = 0 if currency in WHOLE else 3 if currency in THOUSANDTHS else 2
    scaled: int = amount * 10**ours // 10**theirs
    return scaled


def _instant(seconds: int) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds < LATEST:
        raise ValueError("an instant is a Unix time")
    return datetime.fromtimestamp(seconds, UTC)
