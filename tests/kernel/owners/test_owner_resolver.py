"""The contract of `owner_of`: asked once a batch, before the locks, and believed throughout."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextvars import Context
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from loyalty.cache.hub import holder_channel, member_channel
from loyalty.cache.names import balance_key
from loyalty.commands import ReleaseRedemption
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef
from loyalty.ids import NIL, new_id
from loyalty.owners import Owner, holder_of, kind_and_id, parsed
from loyalty.plugin import Connection, OwnerResolver, OwnersAsked, Question
from loyalty.plugin_set import PluginSet
from loyalty.recorder.recorder import Recorder
from loyalty.recorder.setups import Setups
from loyalty.settlement.request import Committed
from loyalty_app.logins import Addresses
from loyalty_points.plugin import plugin as points
from loyalty_tenants.programs import archive_program
from loyalty_tenants.setups import TenantSetups
from tests.kernel.conftest import BOSS

from . import households
from .conftest import Home, house
from .households import heard, owners


def recorder_with(home: Home, *resolvers: OwnerResolver, **options: Any) -> Recorder:
    """A process whose plugin of households answers in another way."""
    kind = replace(households.plugin, owner_of=resolvers[0])
    setups = Setups(home.world.database, TenantSetups(home.world.configs))
    return Recorder(
        home.world.database, PluginSet((points, kind)), setups, home.world.clock, **options
    )


async def elsewhere(deed: Coroutine[Any, Any, Any]) -> None:
    """Let something happen in a transaction of its own, while another is open here."""
    await asyncio.create_task(deed, context=Context())


async def test_it_is_asked_once_a_batch_about_all_members_and_units(home: Home) -> None:
    members = await home.live_in(house(), 3)
    alone = await home.world.member()
    heard.asked.clear()

    facts = [home.world.purchase(one, 100) for one in [*members, alone] * 5]
    await home.world.records(*facts)

    [asked] = heard.asked
    assert set(asked.questions) == {(one.id, "points") for one in [*members, alone]}
    assert (asked.program, asked.config) == ("homes", households.HouseholdConfig())


async def test_who_is_named_by_card_by_return_or_by_redemption_is_asked_about(home: Home) -> None:
    (anna,) = await home.live_in(house())
    bought = home.world.purchase(anna, 3_000)
    await home.world.record(bought)
    held = await home.world.redeem(anna, 5, capture=False)
    [row] = await home.world.rows("select external_id from loyalty.member where id = $1", anna.id)
    by_name = MemberRef(external_id=row["external_id"])

    for fact in (
        home.world.purchase(by_name, 100),
        home.world.back(bought),
        ReleaseRedemption(occurred_at=home.world.clock.now(), redemption_id=held),
    ):
        heard.asked.clear()
        await home.world.record(fact)
        assert {tuple(asked.questions) for asked in heard.asked} == {((anna.id, "points"),)}


async def test_a_tenant_that_runs_no_such_program_asks_nobody(home: Home, make_world: Any) -> None:
    other = await make_world(plugins=(points, households.plugin))
    member = await other.member()
    heard.asked.clear()

    await other.record(other.purchase(member, 100))

    assert heard.asked == []
    await other.audited()


async def test_a_program_that_does_not_run_any_more_is_not_asked(home: Home) -> None:
    ours = house()
    (anna,) = await home.live_in(ours)
    heard.asked.clear()
    home.world.pass_time(minutes=1)
    now = home.world.clock.now()
    async with home.world.database.tenant(home.world.tenant_id) as connection:
        found = await connection.fetchrow(
            "select id, version from loyalty.program where slug = $1", "homes"
        )
        await archive_program(
            connection, BOSS, found["id"], expected_version=found["version"], now=now
        )

    await home.world.give(anna, 5)

    assert await home.have(ours, anna) == [(0, 0, 0), (5, 0, 0)]


async def test_the_answer_holds_for_the_whole_batch(home: Home) -> None:
    """Also for a fact that comes after the one that moves the member: the move counts next time."""
    old, new = house(), house()
    (anna,) = await home.live_in(old)
    moves = home.activity(anna, "join", household=str(new.id))

    await home.world.records(home.world.purchase(anna, 100), moves, home.world.purchase(anna, 200))
    assert await home.have(old, new) == [(3, 0, 0), (0, 0, 0)]

    await home.world.record(home.world.purchase(anna, 400))
    assert await home.have(old, new) == [(3, 0, 0), (4, 0, 0)]


async def test_a_change_between_the_answer_and_the_lock_counts_from_the_next_batch(
    home: Home,
) -> None:
    old, new = house(), house()
    (anna,) = await home.live_in(old)

    async def then_moved(connection: Connection, asked: OwnersAsked) -> Mapping[Question, Owner]:
        answer = await owners(connection, asked)
        if len(heard.asked) == 1:
            moved = home.world.request(home.activity(anna, "join", household=str(new.id)))
            await elsewhere(home.second.record_many(home.world.tenant_id, [moved]))
        return answer

    recorder = recorder_with(home, OwnerResolver(kinds=("HOUSEHOLD",), resolve=then_moved))
    heard.asked.clear()
    for cents in (100, 200):
        [outcome] = await recorder.record_many(
            home.world.tenant_id, [home.world.request(home.world.purchase(anna, cents))]
        )
        assert not isinstance(outcome, Refused)

    assert await home.have(old, new) == [(1, 0, 0), (2, 0, 0)]


async def test_a_name_that_changes_hands_meanwhile_is_asked_about_again(home: Home) -> None:
    ours, theirs = house(), house()
    (anna,) = await home.live_in(ours)
    (bela,) = await home.live_in(theirs)
    asked_of: list[Any] = []

    async def rename(*names: tuple[MemberRef, str]) -> None:
        async with home.second.database.tenant(home.world.tenant_id) as other:
            for member, name in names:
                await other.execute(
                    "update loyalty.member set external_id = $2 where id = $1", member.id, name
                )

    async def then_renamed(connection: Connection, asked: OwnersAsked) -> Mapping[Question, Owner]:
        asked_of.append({member for member, _ in asked.questions})
        if len(asked_of) == 1:
            await elsewhere(rename((anna, "anna before"), (bela, "card")))
        return await owners(connection, asked)

    await rename((anna, "card"))
    recorder = recorder_with(home, OwnerResolver(kinds=("HOUSEHOLD",), resolve=then_renamed))
    bought = home.world.purchase(MemberRef(external_id="card"), 100)
    [outcome] = await recorder.record_many(home.world.tenant_id, [home.world.request(bought)])

    assert not isinstance(outcome, Refused), outcome
    assert asked_of == [{anna.id}, {bela.id}]
    assert await home.have(ours, theirs) == [(0, 0, 0), (1, 0, 0)]


async def test_two_programs_that_disagree_fail_the_facts_of_that_member_only(home: Home) -> None:
    ours = house()
    (anna,) = await home.live_in(ours)
    alone = await home.world.member()
    await home.world.run_program("more-homes", {}, kind="households")
    await home.world.record(home.activity(alone, "stay"))
    # The fact is shown to both programs, and both write; then only one of them is changed.
    await home.move(anna, ours)
    async with home.world.database.tenant(home.world.tenant_id) as connection:
        await connection.execute(
            "update loyalty.household_member set household_id = $2 where member_id = $1"
            " and program_id = (select id from loyalty.program where slug = 'more-homes')",
            anna.id, new_id(),
        )  # fmt: skip
    before = await home.have(ours, anna)

    outcomes = await home.world.records(
        home.world.purchase(anna, 100), home.world.purchase(alone, 200)
    )

    assert [getattr(one, "code", None) for one in outcomes] == [Code.INTERNAL, None]
    assert await home.have(ours, anna, alone) == [*before, (2, 0, 0)]


async def test_an_owner_of_a_kind_that_is_not_declared_is_refused(home: Home) -> None:
    (anna,) = await home.live_in(house())
    recorder = recorder_with(home, OwnerResolver(kinds=("COMPANY",), resolve=owners))
    before = await home.world.digest()

    [outcome] = await recorder.record_many(
        home.world.tenant_id, [home.world.request(home.world.purchase(anna, 100))]
    )

    assert isinstance(outcome, Refused)
    assert outcome.code is Code.INTERNAL
    assert await home.world.digest() == before


async def test_a_preview_sees_the_household_and_writes_nothing(home: Home) -> None:
    ours = house()
    (anna,) = await home.live_in(ours)
    await home.world.give(anna, 5)
    before = await home.world.digest()

    outcome = await home.world.recorder.preview(
        home.world.tenant_id, home.world.request(home.world.purchase(anna, 100))
    )

    assert outcome.answer["balances"] == [{"owner": str(ours), "unit": "points", "version": 2}]
    assert await home.world.digest() == before


async def test_listeners_are_told_whose_balance_moved(home: Home) -> None:
    ours, alone = house(), await home.world.member()
    (anna,) = await home.live_in(ours)
    told: list[Committed] = []

    async def tell(*committed: Committed) -> None:
        told.extend(committed)

    assert households.plugin.owner_of is not None
    recorder = recorder_with(home, households.plugin.owner_of, committed=tell)
    requests = [home.world.request(home.world.purchase(one, 100)) for one in (anna, alone)]
    await recorder.record_many(home.world.tenant_id, requests)

    [committed] = told
    assert {(c.owner, c.unit, c.version) for c in committed.changes} == {
        (ours, "points", 1), (alone.id, "points", 1),
    }  # fmt: skip
    tenant, same = new_id(), Owner("HOUSEHOLD", NIL)
    assert holder_channel(NIL) == member_channel(NIL) != holder_channel(same)
    assert balance_key(tenant, "1", NIL, "points") != balance_key(tenant, "1", same, "points")


# --- the names of owners --------------------------------------------------------------------------


NO_KINDS = ["MEMBER", "PROGRAM", "TENANT", "household", "H", "A B", "A:B", ""]


@pytest.mark.parametrize("kind", NO_KINDS)
def test_what_is_no_kind_of_a_plugin_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="no kind of owner"):
        Owner(kind, NIL)

    bad = replace(households.plugin, owner_of=OwnerResolver(kinds=(kind,), resolve=owners))
    with pytest.raises(ValueError, match="no kind of owner"):
        PluginSet((bad,))


def test_two_plugins_do_not_share_a_kind() -> None:
    other = replace(
        households.plugin, name="clubs", reactions=(), facts=(), writers=(),
    )  # fmt: skip

    with pytest.raises(ValueError, match="two plugins have owners of the kind"):
        PluginSet((households.plugin, other))


def test_owners_and_members_are_read_as_they_were_written() -> None:
    for holder in (new_id(), Owner("HOUSEHOLD", new_id())):
        assert parsed(str(holder)) == holder
        assert holder_of(*kind_and_id(holder)) == holder


# --- the release before this one ------------------------------------------------------------------


async def test_the_open_batch_of_the_release_before_is_still_there(
    home: Home, dsn: Addresses
) -> None:
    connection = await asyncpg.connect(dsn.app)
    await connection.execute(f"begin; set local app.tenant = '{home.world.tenant_id}'")
    [row] = await connection.fetch(
        "select epoch, status from loyalty.open_batch($1, '{}', '{}', '{}', '{}', '{}', '{}', '{}',"
        " '{}', '{}', '{}', '{}')",
        home.world.tenant_id,
    )
    await connection.close()

    assert row["status"] == "ACTIVE"
