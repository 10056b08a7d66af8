"""Tables of partnerships are kept apart by their policies, and by what is asked of them besides.

Each table has rows of the airline. The hotel's login sees none of them; with the policy opened it
does, so the probe would notice. And with all policies opened the API still answers the hotel as
before: its queries name the tenant.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg

from loyalty.clock import SetClock
from loyalty_app.logins import Addresses
from loyalty_tenants.principal import Role
from tests.graphql.brand import NOON, Brand
from tests.plugins.partners import documents
from tests.plugins.partners.conftest import CONFIG, Shop, link, propose

ISOLATED = "tenant_id = (select loyalty.tenant())"
OF_PARTNERS = """
select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'loyalty' and relkind = 'r' and (relname ^@ 'partners_' or relname = 'peer')
 order by relname
"""
# What only a worker or a partner elsewhere writes.
ELSEWHERE = """
insert into loyalty.partners_leg (tenant_id, id, agreement_id, peer_id, outgoing, state,
  happened_at, changed_at)
select tenant_id, id, id, id, false, 'VOIDED', now(), now() from loyalty.partners_agreement
 where tenant_id = $1;
"""
GIVEN_UP = """
insert into loyalty.partners_write_off (tenant_id, id, reason, asked_by, asked_client, asked_at)
select tenant_id, id, 'gone', 'x', 'x', now() from loyalty.partners_leg where tenant_id = $1
"""
A_DAY = """
insert into loyalty.partners_day (tenant_id, agreement_id, day, state, exchanges, amount, ours,
  compared_at)
select tenant_id, id, '2026-01-01', 'WAITING', 0, 0, '{}', now() from loyalty.partners_agreement
 where tenant_id = $1
"""
READ = (
    documents.AGREEMENTS, documents.POSITIONS, documents.PEERS,
    documents.LINKS.replace("$name: String!", "$name: String! = \"bob\""),
)  # fmt: skip


async def test_no_row_of_a_partner_is_seen_and_each_policy_is_why(
    new_dsn: Callable[[], Awaitable[Addresses]],
    make_own_server: Callable[..., Any],
    make_brand: Callable[..., Any],
) -> None:
    dsn = await new_dsn()
    server = await make_own_server(addresses=dsn, redis_url="", clock=SetClock(NOON))
    air, hotel = [Shop(await _brand(make_brand, server)) for _ in range(2)]
    agreement = await _furnish(air, hotel)
    admin, theirs = await asyncpg.connect(dsn.admin), await asyncpg.connect(dsn.app)
    try:
        for query in (ELSEWHERE, GIVEN_UP, A_DAY):
            await admin.execute(query, air.brand.tenant_id)
        tables = [row["relname"] for row in await admin.fetch(OF_PARTNERS)]
        before = await _answers(hotel, agreement)
        closed = {table: await _seen(theirs, table, air, hotel) for table in tables}
        opened = {}
        for table in tables:
            await admin.execute(f"alter policy tenant_isolation on loyalty.{table} using (true)")
            opened[table] = await _seen(theirs, table, air, hotel) > 0
        after = await _answers(hotel, agreement)
        for table in tables:
            await admin.execute(
                f"alter policy tenant_isolation on loyalty.{table} using ({ISOLATED})"
            )
    finally:
        await admin.close()
        await theirs.close()

    assert len(tables) == 15
    assert closed == dict.fromkeys(tables, 0)
    assert opened == dict.fromkeys(tables, True)
    assert after == before


async def _brand(make_brand: Any, server: Any) -> Brand:
    brand: Brand = await make_brand(on=server)
    await brand.run_program("partners", CONFIG, "partners")
    return brand


async def _furnish(air: Shop, hotel: Shop) -> str:
    """A row of the airline's in each table; the agreement with the hotel."""
    agreement = await propose(air, hotel)
    await hotel.done("acceptPartnerTerms", agreement=agreement)
    for shop, names in ((air, ("ann", "amy")), (hotel, ("bob",))):
        for name in names:
            await shop.brand.enroll(name)
    await link(agreement, air, "ann", hotel, "bob")
    await air.done("issueLinkCode", agreement=agreement, member={"externalId": "amy"})
    wrong = {"agreement": agreement, "member": {"externalId": "amy"}, "code": "AAAAA-BBBBB"}
    assert await air.refused("redeemLinkCode", **wrong) == "NOT_FOUND"
    await air.give("ann", 600)
    given = {"agreement": agreement, "member": {"externalId": "ann"}, "amount": "300"}
    quote = (await air.done("quoteExchange", **given))["quote"]
    await air.done("exchangePoints", quote=quote["id"])
    lines = await air.brand.admin.run(documents.LINES_OF, agreement=agreement)
    line = lines["partnerLines"]["edges"][0]["node"]["id"]
    air.brand.clock.at = datetime(2026, 2, 2, tzinfo=UTC)
    await air.done("proposeStatement", agreement=agreement, period="2026-01")
    await air.done("disputePartnerLine", agreement=agreement, line=line, reason="to see")
    terms = {
        "currency": "USD", "price": "0.012", "prepaid": True,
        "conversions": [{"activity": "purchase", "points": "1", "per": "3.00"}],
    }  # fmt: skip
    made = await air.done(
        "proposeIssuing", client="grocer", program="partners", unit="points", terms=terms
    )
    grocer = air.brand.token(Role.PARTNER, "grocer")
    issuing = made["agreement"]["id"]
    await air.done("acceptPartnerTerms", grocer, agreement=issuing)
    key = air.brand.key()
    await air.done("buyPointPack", grocer, agreement=issuing, points="100", idempotencyKey=key)
    await air.done(
        "connectRemotePartner", name="inn", url="https://inn.example/graphql", tenant="inn"
    )
    return agreement


async def _seen(login: Any, table: str, air: Shop, hotel: Shop) -> int:
    """How many rows of the airline the API's login sees in the name of the hotel."""
    await login.execute(f"begin; set local app.tenant = '{hotel.brand.tenant_id}'")
    found = await login.fetchval(
        f"select count(*) from loyalty.{table} where tenant_id = $1", air.brand.tenant_id
    )
    await login.execute("rollback")
    return int(found)


async def _answers(hotel: Shop, agreement: str) -> list[Any]:
    """What the hotel is told, with ids that both halves have."""
    found = [await hotel.brand.admin.run(query) for query in READ]
    for query, more in (
        (documents.AGREEMENT_OF, {"id": agreement}),
        (documents.COMPARED, {"id": agreement}),
        (documents.LINES_OF, {"agreement": agreement}),
        (documents.STATEMENTS, {"agreement": agreement}),
        (documents.STATEMENT_OF, {"agreement": agreement, "period": "2026-01"}),
    ):
        found.append(await hotel.brand.admin.run(query, **more))
    return found
