"""A till of a cashback program, without a database: amounts are money, as decimal text."""

from typing import Any

import pytest

from loyalty_cashback.plugin import plugin
from tests.plugins.points.till import Till

PLACES = {"cash": 2, "cash-eur": 2, "cash-hkd": 2, "cash-whole": 0}


class CashTill(Till):
    """Ada buys here. Money of USD is in the unit `cash`."""

    def __init__(self, *rules: dict[str, Any], zone: str = "UTC", **keys: Any) -> None:
        numbered = [{"id": f"rule-{at}", "label": "Cashback"} | one for at, one in enumerate(rules)]
        config = {"unit": "cash", "currency": "USD", "rules": numbered} | keys
        super().__init__(config, places=PLACES, zone=zone, plugin=plugin)

    def has(self, unit: str = "cash") -> str:
        return self.balance(unit)


@pytest.fixture(scope="session")
def cash_till() -> type[CashTill]:
    return CashTill
