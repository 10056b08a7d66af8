"""A purchase corrected by its shop: the new revision stands in place of the one before."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from loyalty.days import iso
from loyalty.errors import Code
from loyalty.purchase import ReturnedLine
from loyalty.settlement.request import Recorded
from loyalty_tenants.program_records import program
from loyalty_tenants.programs import update_program
from loyalty_tenants.publishing import publish_program
from tests.kernel.conftest import BOSS, POINTS_CONFIG

RULE: dict[str, Any] = POINTS_CONFIG["rules"][0]  # type: ignore[index]


async def republish(world: Any, config: Any) -> None:
    """The next version of the program `points`, in force from now on."""
    (row,) = await world.rows("select id from loyalty.program where slug = 'points'")
    async with world.database.tenant(world.tenant_id) as connection:
        found = await program(connection, row["id"])
        found = await update_program(
            connection, world.configs, BOSS, row["id"], expected_version=found.version,
            config=config, now=world.clock.now(),
        )  # fmt: skip
        await publish_program(
            connection, world.configs, BOSS, row["id"], expected_version=found.version,
            now=world.clock.now(),
        )  # fmt: skip


async def test_a_correction_takes_the_old_grant_back_and_gives_the_new_one(world: Any) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 1_000, external_id="o-1"))

    corrected = await world.record(world.purchase(member, 700, external_id="o-1", revision=2))

    assert [row["amount"] for row in corrected.answer["takenBack"]] == [10]
    assert [row["amount"] for row in corrected.answer["earned"]] == [7]
    (moved,) = corrected.answer["balances"]
    assert (moved["version"], (await world.balance(member)).total) == (3, 7)
    kinds = await world.rows("select kind, scope, key from loyalty.fact order by recorded_at, id")
    assert ("PurchaseReversed", "revised:shop", "o-1#2") in [tuple(row) for row in kinds]


async def test_the_same_correction_twice_counts_once(world: Any) -> None:
    member = await world.member()
    first = world.purchase(member, 1_000, external_id="o-1")
    corrected = world.purchase(member, 700, external_id="o-1", revision=2)

    outcomes = await world.records(first, corrected, corrected, first)

    assert [outcome.replayed for outcome in outcomes] == [False, False, True, True]
    assert (await world.record(corrected)).replayed
    assert (await world.balance(member)).total == 7


async def test_a_correction_of_what_was_spent_repays_itself(world: Any) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 1_000, external_id="o-1"))
    await world.redeem(member, 9)

    await world.record(world.purchase(member, 700, external_id="o-1", revision=2))

    balance = await world.balance(member)
    assert (balance.total, balance.deficit) == (0, 2)


async def test_only_the_newest_revision_comes_back(world: Any) -> None:
    member = await world.member()
    first = world.purchase(member, 1_000, external_id="o-1")
    second = world.purchase(member, 700, external_id="o-1", revision=2)
    third = world.purchase(member, 400, external_id="o-1", revision=3)
    for purchase in (first, second, third):
        await world.record(purchase)

    for old in (first, second):
        assert (await world.refusal(world.back(old))).code is Code.PURCHASE_CHANGED
    await world.record(world.back(third))

    assert (await world.balance(member)).total == 0


async def test_what_cannot_be_corrected(world: Any) -> None:
    member, other = await world.member(), await world.member()
    first = world.purchase(member, 1_000, external_id="o-1")
    await world.record(first)

    nothing = await world.refusal(world.purchase(member, 700, external_id="o-9", revision=2))
    stranger = await world.refusal(world.purchase(other, 700, external_id="o-1", revision=2))
    await world.record(world.back(first, ReturnedLine(id="1", amount=100)))
    returned = await world.refusal(world.purchase(member, 700, external_id="o-1", revision=2))

    assert [(r.code, r.field) for r in (nothing, stranger, returned)] == [
        (Code.NOT_FOUND, "revision"),
        (Code.NOT_FOUND, "revision"),
        (Code.PURCHASE_CHANGED, "revision"),
    ]


async def test_an_order_that_is_called_like_a_revision_is_another_order(world: Any) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 1_000, external_id="1001"))
    await world.record(world.purchase(member, 300, external_id="1001#2"))

    await world.record(world.purchase(member, 700, external_id="1001", revision=2))

    assert (await world.balance(member)).total == 10


async def test_a_correction_that_a_rule_fails_leaves_the_old_revision(world: Any) -> None:
    member = await world.member()
    first = world.purchase(member, 1_000, external_id="o-1")
    await world.record(first)
    before = await world.digest()

    bad = replace(first, revision=2, currency="CHF")

    assert (await world.refusal(bad)).code is Code.CURRENCY_NOT_LISTED
    assert await world.digest() == before


async def test_a_correction_happened_when_its_purchase_did(world: Any) -> None:
    """Whatever it says itself: the config of that day judges, and its points end as they would."""
    member = await world.member()
    bought = world.clock.now()
    await world.record(world.purchase(member, 1_000, external_id="o-1"))
    world.pass_time(days=3)
    double = {**RULE, "points": "2"}
    await republish(world, {"unit": "points", "rules": [double]})
    world.pass_time(days=3)

    corrected = await world.record(
        world.purchase(member, 700, external_id="o-1", revision=2, at=world.clock.now())
    )

    (grant,) = corrected.answer["earned"]
    assert (grant["amount"], grant["availableAt"]) == (7, iso(bought))
    assert corrected.answer["occurredAt"] == iso(bought)
    assert grant["expiresAt"] == "2027-01-01T12:00:00Z"
    assert (await world.as_of(member, bought)).total == 7
    assert (await world.as_of(member, bought, bought)).total == 10
    again = world.purchase(member, 700, external_id="o-1", revision=2, at=bought)
    assert (await world.record(again)).answer == corrected.answer


async def test_revisions_may_be_skipped_and_an_older_one_changes_nothing(world: Any) -> None:
    member = await world.member()
    first = world.purchase(member, 1_000, external_id="o-1")
    fourth = world.purchase(member, 700, external_id="o-1", revision=4)
    await world.record(first)
    stands = await world.record(fourth)

    same = await world.record(world.purchase(member, 700, external_id="o-1", revision=3))
    other = await world.record(world.purchase(member, 900, external_id="o-1", revision=2))
    changed = await world.refusal(world.purchase(member, 900, external_id="o-1", revision=4))
    oldest = await world.refusal(world.purchase(member, 900, external_id="o-1"))
    replayed = await world.record(first)

    for one in (same, other):  # it comes late, and what stands was told after it
        assert (one.replayed, one.fact_id, one.answer) == (True, stands.fact_id, stands.answer)
    assert (await world.balance(member)).total == 7
    for refused in (changed, oldest):
        assert refused.code is Code.PURCHASE_CHANGED
        assert refused.details == {"differs": ["lines.0.amount", "tenders.0.amount", "total"]}
    assert replayed.replayed
    assert (await world.refusal(world.back(first))).code is Code.PURCHASE_CHANGED
    fifth = await world.record(world.purchase(member, 400, external_id="o-1", revision=5))
    assert [row["amount"] for row in fifth.answer["takenBack"]] == [7]
    back = world.back(fourth)
    returned = await world.record(replace(back, purchase_revision=None))
    assert [row["amount"] for row in returned.answer["takenBack"]] == [4]
    assert (await world.balance(member)).total == 0


async def test_all_revisions_in_one_batch_and_by_two_processes(world: Any, second: Any) -> None:
    member = await world.member()
    revisions = [
        world.purchase(member, 100 * n, external_id="o-1", revision=n) for n in (1, 3, 2, 7)
    ]

    outcomes = await world.records(*revisions)
    assert [one.replayed for one in outcomes] == [False, False, True, False]
    assert (await world.balance(member)).total == 7

    eighth, ninth = (world.purchase(member, 100 * n, external_id="o-1", revision=n) for n in (8, 9))
    (one,), (other,) = await asyncio.gather(
        world.recorder.record_many(world.tenant_id, [world.request(eighth)]),
        second.record_many(world.tenant_id, [world.request(ninth)]),
    )
    assert isinstance(other, Recorded)
    assert isinstance(one, Recorded)  # the older one came first, or is answered by the newer
    assert (await world.balance(member)).total == 9


async def test_an_old_purchase_is_corrected_inside_the_window_only(world: Any) -> None:
    member = await world.member()
    await world.record(world.purchase(member, 1_000, external_id="o-1"))
    world.pass_time(days=31)

    refused = await world.refusal(world.purchase(member, 700, external_id="o-1", revision=2))

    assert (refused.code, refused.field) == (Code.TOO_LATE, "occurredAt")


SPENT = [  # what spent points come to: (policy, corrected to, available, owed) or refused
    ("deficit", 1_200, 3, 0),
    ("deficit", 700, 0, 2),
    ("clamp", 1_200, 3, 0),
    ("clamp", 700, 0, 0),
    ("refuse", 1_200, 3, 0),
    ("refuse", 700, None, None),
]


@pytest.mark.parametrize(("policy", "cents", "available", "owed"), SPENT)
async def test_points_that_were_spent_count_against_what_the_new_revision_grants(
    make_world: Any, policy: str, cents: int, available: int | None, owed: int | None
) -> None:
    world = await make_world({"unit": "points", "rules": [RULE], "terms": {"take_back": policy}})
    member = await world.member()
    await world.record(world.purchase(member, 1_000, external_id="o-1"))
    await world.redeem(member, 9)
    before = await world.digest()
    correction = world.purchase(member, cents, external_id="o-1", revision=2)

    if available is None:
        assert (await world.refusal(correction)).code is Code.INSUFFICIENT_BALANCE
        assert await world.digest() == before
    else:
        await world.record(correction)
        balance = await world.balance(member)
        assert (balance.available, balance.deficit) == (available, owed)
    await world.audited()


async def test_a_lot_that_ended_unswept_is_as_one_that_was_swept(
    world: Any, make_world: Any
) -> None:
    """A correction looks back to a day on which other points were alive that have ended since."""
    found = []
    for swept in (True, False):
        world = await make_world()
        member = await world.member()
        await world.give(member, 10, days=2)
        await world.record(world.purchase(member, 1_000, external_id="o-1"))
        await world.redeem(member, 10)  # what ends first is spent first
        await world.give(member, 8, days=2)
        await world.redeem(member, 9)
        world.pass_time(days=5)
        if swept:
            await world.sweep()
        await world.record(world.purchase(member, 300, external_id="o-1", revision=2))
        balance = await world.balance(member)
        found.append((balance.total, balance.deficit))
        await world.audited()

    assert found[0] == found[1]
