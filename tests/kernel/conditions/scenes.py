"""A shop in Madrid, a member, and what happens: to judge conditions on."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from loyalty.conditions import (
    ACTIVITY,
    PURCHASE,
    STANDING,
    Verdict,
    activity_values,
    compiled,
    purchase_values,
    standing_values,
)
from loyalty.facts import ActivityRecorded, PurchaseRecorded
from loyalty.purchase import Line, LineKind, Tender, TenderKind
from loyalty.setup import Program, Setup
from loyalty.view import MemberView, TraitValue, View

NOON = datetime(2026, 5, 20, 10, tzinfo=UTC)  # 12:00 in Madrid, a Wednesday
ADA = MemberView(
    id=UUID(int=7),
    external_id="ada",
    enrolled_at=datetime(2026, 5, 10, 22, 30, tzinfo=UTC),  # 11 May there
    attributes={"birthday": "1990-05-25", "club": {"name": "runners"}, "visits": 3},
)


def program(slug: str, position: int = 0) -> Program:
    return Program(
        id=UUID(int=position + 100), slug=slug, kind="points", name=slug, position=position,
        versions=(),
    )  # fmt: skip


SETUP = Setup(
    tenant_id=UUID(int=1), slug="shop", name="Shop", zone=ZoneInfo("Europe/Madrid"), epoch=1,
    currencies=("EUR", "JPY"), programs=(program("coffee"), program("vip", 1)),
)  # fmt: skip

LINES = (
    Line(
        id="1", amount=1_200, discount=200, tax=100, quantity=2_000, sku="tea-1",
        category="grocery/tea/green", brand="Leaf", attributes={"organic": True},
    ),
    Line(id="2", amount=500, tax=50, quantity=1_500, sku="mug", category="home"),
    Line(id="3", amount=300, kind=LineKind.SHIPPING),
)  # fmt: skip


def a_purchase(**changed: Any) -> PurchaseRecorded:
    """19.50 EUR: tea, a mug and shipping, most of it by card."""
    usual: dict[str, Any] = {
        "occurred_at": NOON, "source": "till", "external_id": "o-1", "currency": "EUR",
        "total": 1_950, "tax_included": False, "lines": LINES,
        "tenders": (
            Tender(kind=TenderKind.CARD, amount=1_500, name="visa"),
            Tender(kind=TenderKind.CARD, amount=150, name="amex"),
            Tender(kind=TenderKind.GIFT_CARD, amount=300),
        ),
        "attributes": {"store": "Sol", "guests": 4, "score": 4.5, "tags": ["a", "b"]},
    }  # fmt: skip
    return PurchaseRecorded(**usual | changed)


def an_activity(**changed: Any) -> ActivityRecorded:
    usual: dict[str, Any] = {
        "occurred_at": NOON, "source": "app", "external_id": "a-1", "type": "check-in",
        "attributes": {"place": "gym"},
    }  # fmt: skip
    return ActivityRecorded(**usual | changed)


def a_view(
    member: MemberView | None = ADA, traits: Mapping[str, Any] | None = None, setup: Setup = SETUP
) -> View:
    return View(
        program="coffee", setup=setup, member=member,
        traits={name: TraitValue(value=one, since=NOON) for name, one in (traits or {}).items()},
    )  # fmt: skip


def of_purchase(
    source: str,
    fact: PurchaseRecorded | None = None,
    view: View | None = None,
    *,
    currency: str | None = "EUR",
) -> Verdict:
    condition = compiled(source, PURCHASE, currency=currency)
    return condition.judged(purchase_values(fact or a_purchase(), view or a_view()))


def of_activity(source: str, fact: ActivityRecorded | None = None) -> Verdict:
    condition = compiled(source, ACTIVITY, currency=None)
    return condition.judged(activity_values(fact or an_activity(), a_view()))


def of_standing(source: str, view: View | None = None, at: datetime = NOON) -> Verdict:
    return compiled(source, STANDING, currency=None).judged(standing_values(at, view or a_view()))
