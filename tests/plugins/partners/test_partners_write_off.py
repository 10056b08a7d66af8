"""A partner elsewhere that never speaks: seen, stopped, and written off by two persons."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from loyalty.jobs.backlog import Backlog
from loyalty.meters import OUTSIDE_SECONDS
from loyalty_app.logins import Addresses
from loyalty_partners.graphql import writing_off
from loyalty_partners.plugin import plugin as partners
from loyalty_tenants.principal import Role
from tests.plugins.partners import documents
from tests.plugins.partners.conftest import TERMS
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

UNDER_WAY = """query($hours: Int) { exchangesUnderWay(olderThanHours: $hours) { edges { node {
  exchange { id state points } problem givingUp attempts
  writeOff { reason askedBy approvedBy } } } } }"""
LOSSES = """select coalesce(sum(case when a.id = p.to_id then p.amount else -p.amount end), 0)
  from loyalty.account a join loyalty.posting p on p.tenant_id = a.tenant_id
   and a.id in (p.to_id, p.from_id) where a.tenant_id = $1 and a.kind = 'exchange_losses'"""
WAITS = "select exists (select from pg_locks where not granted)"
REASON = "their house burned down"


async def under_way(both: Elsewhere, hours: int = 0) -> list[Any]:
    data = await both.air.brand.admin.run(UNDER_WAY, hours=hours)
    return [edge["node"] for edge in data["exchangesUnderWay"]["edges"]]


async def lost(both: Elsewhere, dsn: Addresses) -> int:
    connection = await asyncpg.connect(dsn.admin)
    try:
        return int(await connection.fetchval(LOSSES, both.air.brand.tenant_id))
    finally:
        await connection.close()


async def pending(both: Elsewhere, lost: str = "request") -> dict[str, Any]:
    """An exchange of 300 that the hotel was asked to credit, and never spoke of."""
    await both.air.give("ann", 300, expiresAt="2026-06-01T00:00:00Z")
    async with both.post.cut(lost):
        done = await both.exchange(both.air, "ann", "300")
    assert done["state"] == "PENDING"
    return {"exchange": done["id"]}


async def write_off(both: Elsewhere, given: dict[str, Any]) -> Any:
    """What two persons do about it, while nobody answers."""
    second = both.air.brand.token(Role.ADMIN, "second")
    async with both.post.cut("request"):
        await both.air.done("askExchangeWriteOff", **given, reason=REASON)
        return await both.air.done("decideExchangeWriteOff", second, **given, approve=True)


@pytest.fixture
async def late(both: Elsewhere) -> dict[str, Any]:
    given = await pending(both)
    both.clock.advance(timedelta(days=8))
    return given


async def test_what_waits_is_listed_with_why(both: Elsewhere) -> None:
    given = await pending(both)
    (found,) = await under_way(both)
    assert (found["exchange"]["id"], found["exchange"]["points"]) == (given["exchange"], "300")
    assert (found["problem"], found["givingUp"], found["writeOff"]) == ("cut", False, None)
    assert await under_way(both, 1) == []
    both.clock.advance(timedelta(hours=1))
    assert len(await under_way(both, 1)) == 1
    await both.work()
    assert await under_way(both) == []


async def test_two_persons_give_the_points_back(
    both: Elsewhere, late: dict[str, Any], dsn: Addresses
) -> None:
    """The points are in their lots again; what the hotel may have credited is a loss, and stays
    owed. Nothing of it can be stated before the hotel speaks."""
    second = both.air.brand.token(Role.ADMIN, "second")
    decide = {**late, "approve": True}
    assert await both.air.refused("decideExchangeWriteOff", second, **decide) == "NOT_FOUND"
    async with both.post.cut("request"):
        asked = await both.air.done("askExchangeWriteOff", **late, reason=REASON)
        again = await both.air.done("askExchangeWriteOff", second, **late, reason="me too")
        assert (asked["replayed"], again["replayed"]) == (False, True)
        assert await both.air.refused("decideExchangeWriteOff", **decide) == "SAME_PERSON"
        assert await both.balances() == (0, 0)
        done = await both.air.done("decideExchangeWriteOff", second, **decide)
        twice = await both.air.done("decideExchangeWriteOff", second, **decide)

    assert (done["exchange"]["state"], done["replayed"]) == ("WRITTEN_OFF", False)
    assert twice == {**done, "replayed": True}
    assert await both.balances() == (300, 0)
    assert await both.air.expiries("ann") == [("2026-06-01T00:00:00Z", "300")]
    assert await lost(both, dsn) == -300
    (found,) = await under_way(both)
    assert found["writeOff"] == {"reason": REASON, "askedBy": "admin", "approvedBy": "second"}
    positions = await both.air.brand.admin.run(documents.POSITIONS)
    assert positions["clearingPositions"][0]["payable"] == "0.80"
    both.clock.advance(timedelta(days=31))
    async with both.post.cut("request"):
        code = await both.air.refused(
            "proposeStatement", agreement=both.agreement, period="2026-01"
        )
    assert code == "STATEMENT_STATE"


async def test_a_partner_that_speaks_later_takes_the_loss_away(
    both: Elsewhere, late: dict[str, Any], dsn: Addresses
) -> None:
    """It never credited: asked again it calls it off for good, and nothing is owed."""
    await write_off(both, late)
    both.clock.advance(timedelta(days=1))

    await both.work()

    assert await both.states(late["exchange"]) == ("VOIDED", "VOIDED")
    assert (await both.balances(), await lost(both, dsn)) == ((300, 0), 0)
    assert await under_way(both) == []
    positions = await both.air.brand.admin.run(documents.POSITIONS)
    assert positions["clearingPositions"][0]["net"] == "0.00"


async def test_what_had_been_credited_stays_a_loss(both: Elsewhere, dsn: Addresses) -> None:
    """Unless it is undone there as well, within the window."""
    given = await pending(both, "answer")
    both.clock.advance(timedelta(days=8))
    await write_off(both, given)
    assert await both.balances() == (300, 100)
    both.clock.advance(timedelta(days=1))

    await both.work()

    assert await both.states(given["exchange"]) == ("SETTLED", "SETTLED")
    assert (await both.balances(), await lost(both, dsn)) == ((300, 100), -300)
    both.clock.advance(timedelta(days=1))
    await both.work()
    assert await lost(both, dsn) == -300


async def test_undone_at_the_partner_it_is_no_loss(make_elsewhere: Any, dsn: Addresses) -> None:
    both = await make_elsewhere(terms={**TERMS, "reversalHours": 24 * 30})
    given = await pending(both, "answer")
    both.clock.advance(timedelta(days=8))
    await write_off(both, given)
    both.clock.advance(timedelta(days=1))
    await both.work()

    done = await both.air.done("reverseExchange", both.air.brand.service, **given)

    assert done["exchange"]["reversed"] is True
    await both.work()
    assert (await both.balances(), await lost(both, dsn)) == ((300, 0), 0)


async def test_it_is_not_written_off_early_nor_once_it_spoke(both: Elsewhere) -> None:
    given = await pending(both)
    early = {**given, "reason": REASON}
    both.clock.advance(timedelta(days=7, seconds=-1))
    assert await both.air.refused("askExchangeWriteOff", **early) == "NOT_REVERSIBLE"
    both.clock.advance(timedelta(seconds=1))
    await both.air.done("askExchangeWriteOff", **early)

    # It is asked once more, and speaks: the points are back because it called it off.
    second = both.air.brand.token(Role.ADMIN, "second")
    done = await both.air.done("decideExchangeWriteOff", second, **given, approve=True)

    assert done["exchange"]["state"] == "VOIDED"
    assert await both.balances() == (300, 0)
    assert await both.air.refused("askExchangeWriteOff", **early) == "NOT_REVERSIBLE"


async def test_who_asked_may_drop_it(both: Elsewhere, late: dict[str, Any]) -> None:
    await both.air.done("askExchangeWriteOff", **late, reason=REASON)
    await both.air.done("decideExchangeWriteOff", **late, approve=False)
    (found,) = await under_way(both)
    assert found["writeOff"] is None


async def test_one_that_was_approved_and_not_done_is_done_by_asking_again(
    both: Elsewhere, late: dict[str, Any], dsn: Addresses
) -> None:
    """As if whoever served had died between the approval and the points."""
    await both.air.done("askExchangeWriteOff", **late, reason=REASON)
    connection = await asyncpg.connect(dsn.admin)
    try:
        await connection.execute(
            """update loyalty.partners_write_off set approved_by = 'x', approved_client = 'x',
                      approved_at = now() where tenant_id = $1""",
            both.air.brand.tenant_id,
        )
        with pytest.raises(asyncpg.CheckViolationError, match="two_persons"):
            await connection.execute(
                """update loyalty.partners_write_off set approved_client = asked_client
                    where tenant_id = $1""",
                both.air.brand.tenant_id,
            )
    finally:
        await connection.close()
    async with both.post.cut("request"):
        done = await both.air.done("decideExchangeWriteOff", **late, approve=True)
    assert done["exchange"]["state"] == "WRITTEN_OFF"
    assert await both.balances() == (300, 0)


async def test_a_partner_that_is_gone_for_good_can_be_left(
    both: Elsewhere, late: dict[str, Any]
) -> None:
    """It stops here though nobody answers; it can be left once nothing is pending."""
    data = await both.air.brand.admin.run(documents.PEERS)
    (partner,) = data["remotePartners"]
    given = {"partner": partner["id"]}
    async with both.post.cut("request"):
        for field in ("suspendPartnership", "endPartnership"):
            await both.air.done(field, agreement=both.agreement)
        assert await both.air.refused("endRemotePartner", **given) == "AGREEMENT_STATE"
    await write_off(both, late)
    attempts = (await under_way(both))[0]["attempts"]
    ended = await both.air.done("endRemotePartner", **given)
    assert ended["partner"]["status"] == "ENDED"
    both.clock.advance(timedelta(days=2))
    await both.work()
    (found,) = await under_way(both)
    assert (found["exchange"]["state"], found["attempts"]) == ("WRITTEN_OFF", attempts)
    assert await both.balances() == (300, 0)


async def test_how_long_it_waits_is_measured(both: Elsewhere) -> None:
    """Whatever else is pending in the database may be older."""
    await pending(both)
    worker = both.workers[0]
    since = await worker.database.unscoped("select loyalty.partners_waiting()")
    assert since is not None
    assert since <= both.clock.now()
    both.clock.advance(timedelta(minutes=20))
    await Backlog(worker.database, both.clock, [partners]).round()
    waited = (both.clock.now() - since).total_seconds()
    assert OUTSIDE_SECONDS.labels("partners elsewhere")._value.get() == waited


async def test_of_two_who_approve_at_once_one_does(
    both: Elsewhere, late: dict[str, Any], dsn: Addresses
) -> None:
    await both.air.done("askExchangeWriteOff", **late, reason=REASON)
    people = [both.air.brand.token(Role.ADMIN, name) for name in ("second", "third")]
    async with both.post.cut("request"):
        told = await asyncio.gather(
            *(both.air.done("decideExchangeWriteOff", who, **late, approve=True) for who in people)
        )
    assert [one["exchange"]["state"] for one in told] == ["WRITTEN_OFF"] * 2
    assert (await both.balances(), await lost(both, dsn)) == ((300, 0), -300)


async def test_a_word_of_the_partner_in_that_very_moment_counts(
    both: Elsewhere, late: dict[str, Any], dsn: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it is credited is noted by another process while the points are about to come back."""
    await both.air.done("askExchangeWriteOff", **late, reason=REASON)
    second = both.air.brand.token(Role.ADMIN, "second")
    noting, looking = await asyncpg.connect(dsn.admin), await asyncpg.connect(dsn.admin)
    note = "update loyalty.partners_leg set state = $2 where tenant_id = $1"
    tenant, transaction = both.air.brand.tenant_id, noting.transaction()
    approved = writing_off._approved

    async def then_noted(*args: Any) -> None:
        await approved(*args)
        await transaction.start()
        await noting.execute(note, tenant, "CREDITED")

    monkeypatch.setattr(writing_off, "_approved", then_noted)
    try:
        async with both.post.cut("request"):
            deciding = asyncio.create_task(
                both.air.asked("decideExchangeWriteOff", second, **late, approve=True)
            )
            while not await looking.fetchval(WAITS):
                await asyncio.sleep(0.02)
            await transaction.commit()
            told = await deciding
        assert [error["code"] for error in told["userErrors"]] == ["NOT_REVERSIBLE"]
        assert (await both.balances(), await lost(both, dsn)) == ((0, 0), 0)
    finally:
        await noting.execute(note, tenant, "PENDING")
        await noting.close()
        await looking.close()
