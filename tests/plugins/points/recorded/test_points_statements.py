"""More rules ask the database for nothing more: whatever they look at is loaded at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from tests.plugins.points.recorded.conftest import RULE

MANY = [
    RULE,
    *(
        RULE | {"id": f"rule-{n}", "when": f"purchase.total > {n}", "points": "0.1",
                "limits": [{"times": n + 1, "period": "day"}],
                "caps": [{"points": str(n + 1), "period": "month"}],
                "over": {"period": "year"}}
        for n in range(15)
    ),
    *(
        {"id": f"bonus-{n}", "label": "Bonus", "accounting_class": "MARKETING",
         "bonus": {"factor": "1.5"}, "when": f'member.tier == "tier-{n}" || choice.size() == 0'}
        for n in range(4)
    ),
]  # fmt: skip


async def statements_of(shop: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many a purchase takes, not the first one of the member."""
    member = await shop.world.member()
    await shop.buys(member, "20.00")
    database = shop.world.database
    asked: list[Any] = []
    open_tenant = database.tenant

    @asynccontextmanager
    async def tenant(tenant_id: UUID, **how: Any) -> AsyncIterator[Any]:
        async with open_tenant(tenant_id, **how) as connection:
            connection.add_query_logger(asked.append)
            try:
                yield connection
            finally:
                connection.remove_query_logger(asked.append)

    with monkeypatch.context() as patch:
        patch.setattr(database, "tenant", tenant)
        await shop.buys(member, "20.00")
    return len(asked)


async def test_twenty_rules_take_as_many_statements_as_one(
    club: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await statements_of(await club("2026-03-10T12:00"), monkeypatch)
    many = await club("2026-03-10T12:00", rules=MANY)
    assert await statements_of(many, monkeypatch) == one > 0
