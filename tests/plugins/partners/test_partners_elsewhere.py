"""Partners of two installations compare their days and settle their months."""

from datetime import timedelta
from typing import Any

import asyncpg

from loyalty_app.logins import Addresses
from loyalty_graphql.ids import node_id, read_node_id
from tests.plugins.partners import documents
from tests.plugins.partners.conftest import Shop
from tests.plugins.partners.elsewhere import Elsewhere
from tests.plugins.partners.installations import (
    both,
    installations,
    make_elsewhere,
    other_dsn,
    server,
    servers,
)

__all__ = ["both", "installations", "make_elsewhere", "other_dsn", "server", "servers"]


async def test_days_are_compared(both: Elsewhere) -> None:
    await both.air.give("ann", 900)
    for amount in ("300", "150"):
        await both.exchange(both.air, "ann", amount)
    await both.exchange(both.hotel, "bob", "100")
    async with both.post.cut("request"):
        pending = await both.exchange(both.air, "ann", "300")
    both.clock.advance(timedelta(hours=20))
    async with both.post.cut("request", only="creditExchange"):
        await both.work()
    (day,) = await _days(both.air, both.agreement)
    assert (day["day"], day["state"], day["exchanges"]) == ("2026-01-01", "WAITING", 4)

    both.clock.advance(timedelta(days=1))
    await both.work()

    assert await both.states(pending["id"]) == ("VOIDED", "VOIDED")
    both.clock.advance(timedelta(days=1))
    await both.work()
    for shop, amount in ((both.air, "-0.40"), (both.hotel, "0.40")):
        days = {day["day"]: day for day in await _days(shop, both.agreement)}
        found = days["2026-01-01"]
        assert (found["state"], found["exchanges"], found["amount"]) == ("MATCHED", 3, amount)


async def test_a_day_that_differs_names_the_exchange(both: Elsewhere, other_dsn: Addresses) -> None:
    await both.air.give("ann", 900)
    done = [await both.exchange(both.air, "ann", "300") for _ in range(2)]
    await both.work()
    admin = await asyncpg.connect(other_dsn.admin)
    change = "update loyalty.partners_movement set amount = amount + $2 where tenant_id = $1"
    hotel = both.hotel.brand.tenant_id
    try:
        await admin.execute(change + " and amount > 0", hotel, 1)
        both.clock.advance(timedelta(days=1))
        await both.work()
        (day,) = await _days(both.air, both.agreement)
        assert (day["state"], set(day["differing"])) == ("DIFFERS", {one["id"] for one in done})
    finally:
        await admin.execute(change + " and amount > 0", hotel, -1)
        await admin.close()


async def test_settled_as_between_tenants(both: Elsewhere) -> None:
    await both.air.give("ann", 900)
    lines = [await both.exchange(both.air, "ann", "300") for _ in range(2)]
    both.clock.advance(timedelta(days=31))
    month = {"agreement": both.agreement, "period": "2026-01"}
    await both.work()
    proposed = (await both.air.done("proposeStatement", **month))["statement"]
    assert (proposed["state"], proposed["net"]) == ("PROPOSED", "-1.60")
    there = await both.hotel.brand.admin.run(documents.STATEMENT_OF, **month)
    assert there["partnerStatement"]["id"] == proposed["id"]
    assert there["partnerStatement"]["net"] == "1.60"

    line = lines[0]["id"]
    key = read_node_id(line)
    assert key is not None
    disputed = await both.hotel.done(
        "disputePartnerLine", agreement=both.agreement, line=node_id("PartnerLine", key[1]),
        reason="not ours",
    )  # fmt: skip
    await both.hotel.done("agreeStatement", statement=proposed["id"])
    await both.air.done(
        "decidePartnerDispute", agreement=both.agreement, dispute=disputed["dispute"], accept=True
    )
    paid = await both.hotel.done("settleStatement", statement=proposed["id"], paymentRef="bank 1")
    assert (paid["statement"]["state"], paid["statement"]["net"]) == ("SETTLED", "0.80")
    here = await both.air.brand.admin.run(documents.STATEMENT_OF, **month)
    assert (here["partnerStatement"]["state"], here["partnerStatement"]["net"]) == (
        "SETTLED", "-0.80",
    )  # fmt: skip


async def test_nothing_is_stated_while_something_is_under_way(both: Elsewhere) -> None:
    await both.air.give("ann", 300)
    both.clock.advance(timedelta(days=30, hours=6))
    async with both.post.cut("request"):
        await both.exchange(both.air, "ann", "300")
    both.clock.advance(timedelta(hours=3))
    month = {"agreement": both.agreement, "period": "2026-01"}
    for shop in (both.air, both.hotel):
        assert await shop.refused("proposeStatement", **month) == "STATEMENT_STATE"


async def _days(shop: Shop, agreement: str) -> Any:
    data = await shop.brand.admin.run(documents.COMPARED, id=agreement)
    return data["partnerAgreement"]["comparedDays"]


async def test_what_stops_here_stops_whether_or_not_the_partner_heard(both: Elsewhere) -> None:
    """The hotel thinks that all is as before: what it sends is called off, until it is resumed."""
    await both.hotel.give("bob", 200)
    async with both.post.cut("request"):
        stopped = await both.air.done("suspendPartnership", agreement=both.agreement)
        assert stopped["agreement"]["state"] == "SUSPENDED"
        code = await both.air.refused("resumePartnership", agreement=both.agreement)
        assert code == "PARTNER_NOT_AVAILABLE"
    seen = await both.hotel.brand.admin.run(documents.AGREEMENT_OF, id=both.agreement)
    assert seen["partnerAgreement"]["state"] == "ACTIVE"
    quote = await both.quote(both.hotel, "bob", "100")
    code = await both.hotel.refused("exchangePoints", both.hotel.brand.service, quote=quote["id"])
    assert (code, await both.balances()) == ("PARTNER_NOT_AVAILABLE", (0, 200))

    await both.air.done("suspendPartnership", agreement=both.agreement)  # told again
    seen = await both.hotel.brand.admin.run(documents.AGREEMENT_OF, id=both.agreement)
    assert seen["partnerAgreement"]["state"] == "SUSPENDED"
    await both.air.done("resumePartnership", agreement=both.agreement)
    await both.exchange(both.hotel, "bob", "100")
    assert await both.balances() == (200, 100)
