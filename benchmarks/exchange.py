"""Exchanges between two brands, against two hand-written updates in one transaction.

How many exchanges a second there can be: so each has as many clients, who send the next as soon as
they have an answer, as it does most with. Updates that each have a connection of their own do most
with few of them; exchanges that come together share a transaction.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg

from benchmarks import goods, meter, result
from benchmarks.meter import Sample, Way
from benchmarks.result import Bar, Result
from benchmarks.stand import BY, Brand, Stand, stand
from loyalty.commands import AdjustBalance
from loyalty.facts import MemberRef
from loyalty.ids import account_id, new_id
from loyalty.recorder.pair import Leg, both
from loyalty.recorder.pair_lane import PairLanes
from loyalty.settlement.request import ClientKey, Request
from loyalty_partners.agreements import AgreementKind
from loyalty_partners.exchange import Deal, Side, legs
from loyalty_partners.graphql import agreeing
from loyalty_partners.movement import moved_key
from loyalty_partners.quote import quoted
from loyalty_partners.terms import Flow, Terms
from loyalty_tenants.programs import create_program
from loyalty_tenants.publishing import publish_program

MEMBERS = 200
MANY, FEW = 128, 16  # clients; by hand few, each with a connection
ROUND = 800
START = 10**9
OFFER = 10
FLOW = Flow(burn=1, credit=1, places=0, giver_places=0, price="0.0080")
TERMS = Terms(currency="USD", give=FLOW, take=FLOW)
_LINKS = """
insert into loyalty.partners_link (tenant_id, id, agreement_id, member_id, state, created_at)
select loyalty.tenant(), w.id, $1, w.member, 'ACTIVE', $2
  from unnest($3::uuid[], $4::uuid[]) w (id, member)
"""
_OUT = """
update loyalty.account set balance = balance - $3, version = version + 1
 where tenant_id = $1 and id = $2 and balance >= $3
"""
_IN = """
update loyalty.account set balance = balance + $3, version = version + 1
 where tenant_id = $1 and id = $2
"""


@dataclass(frozen=True, slots=True)
class Allies:
    """Two brands under an exchange in force; the members of one number are linked."""

    brands: tuple[Brand, Brand]
    agreement_id: UUID
    links: tuple[UUID, ...]


async def against_updates(rounds: int) -> Result:
    async with stand() as on:
        ours, hand = await _allies(on), await _allies(on)
        await on.analyze()
        pool = await asyncpg.create_pool(on.admin, min_size=FEW, max_size=FEW)
        try:
            numbers, lanes = count(), PairLanes(on.ledger.recorder)

            async def exchange() -> None:
                await _exchange(lanes, ours, next(numbers))

            async def by_hand() -> None:
                await _by_hand(pool, hand, next(numbers))

            ways = [
                _clients(on, *way) for way in ((exchange, MANY), (exchange, FEW), (by_hand, FEW))
            ]
            many, few, than = await meter.by_turns(ways, rounds)
        finally:
            await pool.close()
    share, against = result.ratio(many, than), "two updates in one transaction"
    compared: dict[str, Any] = {"against": against, "than": than}
    return Result(
        case="exchange",
        ratio=share,
        rows=[
            result.row(f"exchanges, {MANY} at a time", "exchanges", many, **compared),
            result.row(f"exchanges, {FEW} at a time", "exchanges", few, **compared),
            result.row(f"{against}, {FEW} at a time", "exchanges", than),
        ],
        bars=[Bar(figure=f"of {against}", value=share, limit=0.4)],
        figures={
            "clients": MANY, f"ratio_of_{FEW}": result.ratio(few, than), "round": ROUND,
            "rounds": rounds,
        },
    )  # fmt: skip


def _clients(on: Stand, one: Callable[[], Awaitable[None]], many: int) -> Way:
    """A round of them, so many at a time."""

    async def client(turns: Any) -> None:
        for _ in turns:
            await one()

    async def work() -> int:
        turns = iter(range(ROUND))
        await asyncio.gather(*(client(turns) for _ in range(many)))
        return ROUND

    async def sample() -> Sample:
        return await on.timed(work)

    return sample


async def _exchange(lanes: PairLanes, allies: Allies, number: int) -> None:
    """Every other one goes the other way."""
    now, which = datetime.now(UTC), number % 2
    giver, taker = allies.brands[which], allies.brands[1 - which]
    at = number * 37 % MEMBERS  # apart, so that nobody waits for the one before
    quote = quoted(FLOW, OFFER, "USD")
    assert quote is not None, "it is enough"
    deal = Deal(
        id=new_id(), agreement_id=allies.agreement_id, link_id=allies.links[at], terms=1,
        currency="USD", charge=0, quote=quote,
    )  # fmt: skip
    here, there = (
        Side(member=MemberRef(id=brand.members[at]), program="partners", unit="points")
        for brand in (giver, taker)
    )
    key = moved_key(deal.id)
    out, into = (
        Leg(brand.tenant_id, Request(fact=fact, actor="bench", key=key))
        for brand, fact in zip((giver, taker), legs(deal, here, there, now=now, day=now),
                               strict=True)
    )  # fmt: skip
    await lanes.record(out, into)


async def _by_hand(pool: Any, allies: Allies, number: int) -> None:
    which, at = number % 2, number * 37 % MEMBERS
    giver, taker = allies.brands[which], allies.brands[1 - which]
    accounts = [
        (brand.tenant_id,
         account_id(brand.tenant_id, "MEMBER", brand.members[at], "points", "main"), query)
        for brand, query in ((giver, _OUT), (taker, _IN))
    ]  # fmt: skip
    async with pool.acquire() as connection, connection.transaction():
        for tenant_id, account, query in sorted(accounts):
            assert await connection.execute(query, tenant_id, account, OFFER) == "UPDATE 1"


async def _allies(on: Stand) -> Allies:
    one, other = await on.brand(MEMBERS), await on.brand(MEMBERS)
    now, ident = datetime.now(UTC), new_id()
    programs = {brand.tenant_id: await _program(on, brand, now) for brand in (one, other)}
    links = tuple(new_id() for _ in range(MEMBERS))
    async with both(on.ledger.database, one.tenant_id, other.tenant_id) as sides:
        for here, there in ((one, other), (other, one)):
            half = agreeing.Half(
                tenant_id=here.tenant_id, partner="ally", partner_tenant_id=there.tenant_id,
                program_id=programs[here.tenant_id], unit="points", partner_unit="points",
                terms=TERMS.plain(), proposed_here=here is one,
            )  # fmt: skip
            connection = await sides.of(here.tenant_id)
            await agreeing.insert(
                connection, ident, AgreementKind.EXCHANGE, half, effective_from=now, now=now
            )
            await connection.execute(_LINKS, ident, now, list(links), list(here.members))
        half_there = await agreeing.locked(sides, other.tenant_id, ident, one.tenant_id)
        await agreeing.accept(sides, BY, other.tenant_id, half_there, 1, now)
    for brand in (one, other):
        await _give(on, brand, now)
    return Allies((one, other), ident, links)


async def _program(on: Stand, brand: Brand, now: datetime) -> UUID:
    config: dict[str, Any] = {"units": {"points": {}}}
    configs = on.ledger.configs
    async with on.ledger.database.tenant(brand.tenant_id) as connection:
        made = await create_program(
            connection, configs, BY, slug="partners", kind="partners", name="Partners",
            config=config, now=now,
        )  # fmt: skip
        await publish_program(
            connection, configs, BY, made.id, expected_version=made.version, now=now
        )
    return made.id


async def _give(on: Stand, brand: Brand, now: datetime) -> None:
    requests = [
        Request(
            fact=AdjustBalance(
                member=MemberRef(id=member), occurred_at=now, unit="points", amount=START,
                reason_code="START",
            ),
            actor="bench", client_key=ClientKey("bench", f"start-{member}"),
        )
        for member in brand.members
    ]  # fmt: skip
    for outcome in await on.ledger.recorder.record_many(brand.tenant_id, requests):
        goods.stood(outcome)
