"""Exchanges both ways while processes die: both halves or neither, each once, and no deadlock."""

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx

from loyalty.audit import audit
from loyalty_app.installed import installed
from loyalty_graphql.ids import node_id
from tests.faults import report
from tests.faults.allies import START, Allies, make_allies
from tests.faults.api import Api
from tests.faults.brand import Brand
from tests.faults.conftest import SizeOf
from tests.faults.stand import Stand

CLIENTS = 16
MEMBERS = 12
TRIES = 60
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"
QUOTE = """mutation($input: QuoteExchangeInput!) { quoteExchange(input: $input) {
  quote { id } userErrors { code } } }"""
EXCHANGE = """mutation($input: ExchangePointsInput!) { exchangePoints(input: $input) {
  replayed exchange { id points } userErrors { code } } }"""
LINES = """
select kind, count(*) as n, sum(points_out) as gone, sum(points_in) as come
  from loyalty.partners_movement where tenant_id = $1 group by kind
"""


async def test_exchanges_are_whole_whatever_dies(platform: Stand, size: SizeOf) -> None:
    wanted, kills = size("exchanges between brands"), size("kills of exchanging processes")
    brands = [await platform.brand(members=MEMBERS) for _ in range(2)]
    allies = await make_allies(platform.settings, brands[0], brands[1])
    apis, chance = await platform.apis(), random.Random(17)
    left, begun = iter(range(wanted)), datetime.now(UTC)
    async with platform.admin() as admin, httpx.AsyncClient(timeout=15, trust_env=False) as http:
        before = await admin.fetchval(DEADLOCKS)
        killing = asyncio.create_task(_kill(apis, kills, chance))
        done = await asyncio.gather(
            *(_go_on(allies, http, apis, left, random.Random(n)) for n in range(CLIENTS))
        )
        await killing
        await asyncio.sleep(1.5)  # what a session counted is told within a second
        deadlocks = await admin.fetchval(DEADLOCKS) - before
        found = [await admin.fetchrow(LINES, brand.tenant_id) for brand in brands]
    seconds = (datetime.now(UTC) - begun).total_seconds()

    tenants = [brand.tenant_id for brand in brands]
    dsn = platform.settings.need("audit_database_url")
    assert await audit(dsn, tenants, installed()) == []
    assert [(row["kind"], row["n"]) for row in found] == [("EXCHANGE", wanted)] * 2
    assert found[0]["gone"] == found[1]["come"]
    assert found[0]["come"] == found[1]["gone"]
    assert (sum(done), deadlocks) == (wanted, 0)
    assert await _sum(platform, brands) == 2 * MEMBERS * START
    report.note(
        report.Row(
            place=53,
            what="points are exchanged between two brands while API processes are killed",
            tried=(
                f"{wanted:,} exchanges both ways of {MEMBERS} linked members by {CLIENTS} clients, "
                f"`kill -9` of one of two API processes {kills} times; each sent again until known"
            ),
            held="both halves or neither, each once; no deadlock; all sums are nothing",
            measured=f"{sum(done):,} exchanges, 0 halves, {deadlocks} deadlocks, {seconds:.0f} s",
        )
    )


async def _kill(apis: list[Api], kills: int, chance: random.Random) -> None:
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.3, 0.8))
        victim = chance.choice(apis)
        victim.kill()
        victim.start()
        await victim.serves()


async def _go_on(
    allies: Allies, http: httpx.AsyncClient, apis: list[Api], left: Iterator[int],
    chance: random.Random,
) -> int:  # fmt: skip
    """Exchange as long as exchanges are left; answers how many this client saw done."""
    done = 0
    for _ in left:
        brand = chance.choice(allies.brands)
        asked = {
            "agreement": node_id("PartnerAgreement", allies.agreement_id),
            "member": {"externalId": chance.choice(brand.members)},
            "amount": str(chance.randint(1, 20)),
        }
        quoted = await _sent(http, apis, brand, QUOTE, asked, chance)
        quote = {"quote": quoted["quoteExchange"]["quote"]["id"]}
        answer = await _sent(http, apis, brand, EXCHANGE, quote, chance)
        assert answer["exchangePoints"]["userErrors"] == [], answer
        done += answer["exchangePoints"]["exchange"] is not None
    return done


async def _sent(
    http: httpx.AsyncClient, apis: list[Api], brand: Brand, query: str, given: Any,
    chance: random.Random,
) -> Any:  # fmt: skip
    """The same request until it is answered."""
    body = {"query": query, "variables": {"input": given}}
    headers = {"x-api-key": brand.api_key}
    for _ in range(TRIES):
        try:
            answer = await http.post(
                f"{chance.choice(apis).url}/graphql", json=body, headers=headers
            )
        except httpx.TransportError:
            await asyncio.sleep(0.2)
            continue
        told = answer.json()
        if told.get("data"):
            return told["data"]
        await asyncio.sleep(0.2)
    raise AssertionError(f"never answered: {query}")


async def _sum(platform: Stand, brands: list[Brand]) -> int:
    async with platform.admin() as admin:
        return int(
            await admin.fetchval(
                """select sum(balance) from loyalty.account
                    where tenant_id = any($1) and stored and kind = 'main'""",
                [brand.tenant_id for brand in brands],
            )
        )
