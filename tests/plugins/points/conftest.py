"""Baskets, views and configs for the points rules: plain values, no database."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from loyalty.facts import PurchaseRecorded
from loyalty.purchase import Line, Tender, TenderKind, total_of
from loyalty.setup import Setup
from loyalty.units import Unit, UnitKind
from loyalty.view import View
from loyalty_points.config import PointsConfig

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def make_config(*rules: dict[str, Any], **keys: Any) -> PointsConfig:
    """A config of these rules; each is filled up to 1 point per 1.00 USD."""
    plain = {
        "label": "Points",
        "accounting_class": "MATERIAL_RIGHT",
        "points": "1",
        "per": {"USD": "1.00"},
    }
    numbered = [plain | {"id": f"rule-{at}"} | rule for at, rule in enumerate(rules or ({},))]
    return PointsConfig.model_validate({"unit": "points", "rules": numbered} | keys)


def make_purchase(*lines: Line, at: datetime = NOON, **keys: Any) -> PurchaseRecorded:
    tax_included = keys.setdefault("tax_included", True)
    total = total_of(lines, tax_included=tax_included)
    return PurchaseRecorded(
        occurred_at=at,
        source="till",
        external_id="order-1",
        total=total,
        lines=lines,
        tenders=(Tender(kind=TenderKind.OTHER, amount=total),),
        **({"currency": "USD"} | keys),
    )


def make_view(*, places: int = 0, zone: str = "UTC", program: str = "club") -> View:
    setup = Setup(
        tenant_id=UUID(int=1),
        slug="acme",
        name="Acme",
        zone=ZoneInfo(zone),
        epoch=1,
        currencies=("USD", "EUR", "JPY"),
        units={
            "points": Unit(code="points", places=places),
            "USD": Unit(code="USD", places=2, kind=UnitKind.MONEY),
        },
    )
    return View(program=program, setup=setup)


@pytest.fixture(scope="session")
def config() -> Callable[..., PointsConfig]:
    return make_config


@pytest.fixture(scope="session")
def purchase() -> Callable[..., PurchaseRecorded]:
    return make_purchase


@pytest.fixture(scope="session")
def view() -> Callable[..., View]:
    return make_view
