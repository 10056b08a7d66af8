"""Exchanges between two installations whose processes die between any two steps."""

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from loyalty.audit import audit
from loyalty_app.installed import installed
from loyalty_graphql.ids import node_id, read_node_id
from tests.faults import report
from tests.faults.allies import START
from tests.faults.conftest import SizeOf
from tests.faults.installations import (
    CONNECT,
    Installation,
    databases,
    install,
    make_partners,
)
from tests.faults.mortal_partner import STEPS
from tests.faults.stand import Stand

MEMBERS = 8
CLIENTS = 6
UNDONE = 0.3  # of the exchanges, as a share, somebody wants undone
REFUSED = ("m006", "m007")  # whom the other side does not know any more: called off
PATIENCE = 40.0
QUOTE = """mutation($input: QuoteExchangeInput!) { quoteExchange(input: $input) {
  quote { id } userErrors { code message } } }"""
EXCHANGE = """mutation($input: ExchangePointsInput!) { exchangePoints(input: $input) {
  exchange { id state } userErrors { code message } } }"""
REVERSE = """mutation($input: ReverseExchangeInput!) { reverseExchange(input: $input) {
  exchange { id reversed } userErrors { code message } } }"""
ROTATE = """mutation($input: RotateRemotePartnerInput!) { rotateRemotePartnerSecret(input: $input) {
  invitation userErrors { code message } } }"""
PEER = "select id, secret from loyalty.peer where tenant_id = $1"
FORGET = """update loyalty.partners_link l set state = 'ENDED', ended_at = now()
  from loyalty.member m where m.tenant_id = l.tenant_id and m.id = l.member_id
   and l.tenant_id = $1 and m.external_id = any($2)"""
OPEN = """select count(*) from loyalty.partners_leg where tenant_id = $1
  and (due_at is not null or state = 'CREDITED' and not outgoing)"""
LEGS = """select l.id, l.outgoing, l.state, l.reversal is not null as undone,
       coalesce(m.points_out + m.points_in, 0) as points, coalesce(m.amount, 0) as amount
  from loyalty.partners_leg l left join loyalty.partners_movement m
    on (m.tenant_id, m.id) = (l.tenant_id, l.id) where l.tenant_id = $1"""
SUM = """select coalesce(sum(balance), 0)::bigint as held from loyalty.account
  where tenant_id = $1 and stored and kind = 'main'"""

NET = """select coalesce(sum(amount + charge), 0)::bigint as owed,
       coalesce(sum(points_out - points_in), 0)::bigint as cleared
  from loyalty.partners_movement where tenant_id = $1"""


@dataclass(slots=True)
class Journal:
    """What clients were told, by exchange: the last word of each."""

    states: dict[UUID, str] = field(default_factory=dict)
    undone: set[UUID] = field(default_factory=set)


async def test_nothing_is_lost_or_doubled_between_installations(
    platform: Stand, size: SizeOf, tmp_path: Path
) -> None:
    wanted, deaths = size("exchanges between installations"), size("deaths at each step")
    mortal = {"LOYALTY_TEST_STEPS": str(tmp_path), "LOYALTY_TEST_DEATHS": str(deaths)}
    journal, begun = Journal(), time.monotonic()
    async with httpx.AsyncClient(timeout=10, trust_env=False) as http:
        mark = secrets.token_hex(3)
        names = [f"{name}_{mark}" for name in ("one", "other")]
        both = [
            await install(platform, settings, name, MEMBERS, mortal, http)
            for name, settings in zip(names, await databases(platform, names), strict=True)
        ]
        try:
            reached = await _lived_through(both, journal, tmp_path, wanted, deaths)
        finally:
            await asyncio.gather(*(c.stop() for each in both for c in (each.api, each.worker)))

    told = await _compared(both, journal)
    assert {step: reached[step] for step in STEPS if reached[step] < deaths} == {}
    assert set(told) == {"SETTLED", "VOIDED", "undone"}
    report.note(
        report.Row(
            place=54,
            what="points are exchanged between two installations while their processes die",
            tried=(
                f"{wanted:,} exchanges both ways by {CLIENTS} clients, some refused, some undone; "
                "the secret between the two replaced twice; "
                f"`kill -9` {deaths} times at each of {len(STEPS)} steps of APIs and workers"
            ),
            held="each credited once or called off and back in its lots; both halves say the same",
            measured=(
                f"{told['SETTLED']:,} settled, {told['VOIDED']:,} called off, {told['undone']:,} "
                f"undone, {sum(reached.values())} deaths, {time.monotonic() - begun:.0f} s"
            ),
        )
    )


async def _lived_through(
    both: list[Installation], journal: Journal, folder: Path, wanted: int, deaths: int
) -> Counter[str]:
    """Load, with deaths at every step; then rest. How often each step was died at."""
    (folder / "calm").touch()
    for each in both:
        each.api.start()
    await asyncio.gather(*(each.api.serves() for each in both))
    agreement = await make_partners(*both)
    await both[1].rows(FORGET, both[1].brand.tenant_id, list(REFUSED))
    (folder / "calm").unlink()
    for each in both:
        each.worker.start()
    left = iter(range(wanted))
    await asyncio.gather(
        *(_go_on(both, agreement, left, journal, random.Random(n)) for n in range(CLIENTS)),
        _renew(both),
    )
    reached = await _all_steps(both, agreement, journal, folder, deaths)
    (folder / "calm").touch()
    await _at_rest(both)
    return reached


async def _compared(both: list[Installation], journal: Journal) -> Counter[str]:
    """Both ledgers against each other, against what clients were told, and audited."""
    halves = [{row["id"]: row for row in await one.rows(LEGS, one.brand.tenant_id)} for one in both]
    told = Counter(_agree_on(halves, ident) for ident in halves[0].keys() | halves[1].keys())
    for ident, state in journal.states.items():
        legs = [half[ident] for half in halves if ident in half]
        here = [leg["state"] for leg in legs if leg["outgoing"]]
        assert here == ["VOIDED" if state == "REFUSED" else "SETTLED"], (ident, state)
    for ident in journal.undone:
        assert all(half[ident]["undone"] for half in halves)
    sums = [(await one.rows(SUM, one.brand.tenant_id))[0]["held"] for one in both]
    assert sum(sums) == 2 * MEMBERS * START
    nets = [(await one.rows(NET, one.brand.tenant_id))[0] for one in both]
    assert [sum(net[name] for net in nets) for name in ("owed", "cleared")] == [0, 0]
    for one in both:
        dsn = one.settings.need("audit_database_url")
        assert await audit(dsn, [one.brand.tenant_id], installed()) == []
    return told


async def _go_on(
    both: list[Installation], agreement: str, left: Iterator[int], journal: Journal,
    chance: random.Random,
) -> None:  # fmt: skip
    for _ in left:
        await _one(both, agreement, journal, chance)


async def _renew(both: list[Installation]) -> None:
    """Have the secret between the two replaced by either side, while all this goes on."""
    for ours, theirs in (both, both[::-1]):
        (peer,) = await ours.rows(PEER, ours.brand.tenant_id)
        partner = str(node_id("RemotePartner", peer["id"]))
        invitation = (await _sent(ours, ROTATE, {"partner": partner}, admin=True))["invitation"]
        name = "one" if theirs is both[1] else "other"
        given = {
            "name": name, "url": f"{ours.api.url}/graphql", "tenant": ours.brand.slug,
            "invitation": invitation,
        }  # fmt: skip
        until = time.monotonic() + PATIENCE
        while (await _sent(theirs, CONNECT, given, admin=True))["userErrors"]:
            assert time.monotonic() < until, "never entered"
            await asyncio.sleep(0.2)
        now = [(await one.rows(PEER, one.brand.tenant_id))[0]["secret"] for one in both]
        assert now[0] == now[1] != peer["secret"]


async def _one(
    both: list[Installation], agreement: str, journal: Journal, chance: random.Random
) -> None:
    """An exchange either way, perhaps undone by either side; each sent until it is answered."""
    at = chance.choice(both)
    members = at.brand.members
    given = {
        "agreement": agreement, "member": {"externalId": chance.choice(members)},
        "amount": str(chance.randint(1, 20)),
    }  # fmt: skip
    quoted = await _sent(at, QUOTE, given)
    if quoted["quote"] is None:  # this side forgot the member
        return
    done = await _sent(at, EXCHANGE, {"quote": quoted["quote"]["id"]})
    ident = read_node_id(quoted["quote"]["id"])
    assert ident is not None
    if done["exchange"] is None:
        assert [error["code"] for error in done["userErrors"]] == ["PARTNER_NOT_AVAILABLE"], done
        journal.states[ident[1]] = "REFUSED"
        return
    state = done["exchange"]["state"]
    if state != "PENDING":
        journal.states[ident[1]] = state
    if chance.random() < UNDONE:
        await asyncio.sleep(0.7)  # it is settled by then, or is not undone
        undone = await _sent(chance.choice(both), REVERSE, {"exchange": done["exchange"]["id"]})
        if undone["exchange"] and undone["exchange"]["reversed"]:
            journal.undone.add(ident[1])


async def _sent(at: Installation, query: str, given: Any, *, admin: bool = False) -> Any:
    """The same request until it is answered."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            return await at.told(query, given, admin=admin)
        except (httpx.TransportError, LookupError, ValueError):
            await asyncio.sleep(0.1)
    raise AssertionError(f"never answered: {query}\n{at.api.said()[-2000:]}")


async def _all_steps(
    both: list[Installation], agreement: str, journal: Journal, folder: Path, deaths: int
) -> Counter[str]:
    """Go on until each step was died at as often as is wanted."""
    until, chance = time.monotonic() + PATIENCE, random.Random(71)
    while True:
        found = Counter(STEPS[int(path.name[:2])] for path in folder.glob("[0-9]*"))
        missing = [step for step in STEPS if found[step] < deaths]
        if not missing or time.monotonic() > until:
            return found
        if any("voidExchange" in step for step in missing):
            (folder / "dumb").touch()
            await _one(both, agreement, journal, chance)
            for each in both:
                await each.rows(
                    "update loyalty.partners_leg set giving_up = true"
                    " where tenant_id = $1 and state = 'PENDING'", each.brand.tenant_id,
                )  # fmt: skip
            (folder / "dumb").unlink()
        await _one(both, agreement, journal, chance)


async def _at_rest(both: list[Installation]) -> None:
    """Until neither side has anything more to say."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        counts = [(await one.rows(OPEN, one.brand.tenant_id))[0][0] for one in both]
        if counts == [0, 0]:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"still under way: {counts}")


def _agree_on(halves: list[Any], ident: UUID) -> str:
    """What both halves say of an exchange, which must be the same."""
    one, other = (half.get(ident) for half in halves)
    giver, taker = (one, other) if one and one["outgoing"] else (other, one)
    assert giver is not None, (ident, taker)
    if giver["state"] == "VOIDED":
        assert taker is None or taker["state"] == "VOIDED", (giver, taker)
        return "VOIDED"
    assert taker is not None, giver
    assert (giver["state"], taker["state"]) == ("SETTLED", "SETTLED"), (giver, taker)
    assert (giver["points"], giver["amount"]) == (taker["points"], -taker["amount"])
    assert giver["undone"] == taker["undone"], (giver, taker)
    return "undone" if giver["undone"] else "SETTLED"
