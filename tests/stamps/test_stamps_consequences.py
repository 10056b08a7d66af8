"""What follows for another member, or later; what a return does about it."""

from typing import Any

import pytest

from loyalty.facts import MemberRef
from loyalty.settlement.request import Follows, Request
from loyalty_stamps.facts import StampGiven


async def test_a_buddy_gets_a_stamp_in_a_settlement_of_its_own(shop: Any) -> None:
    await shop.run("card", buddy_stamps=1)
    member, buddy = await shop.buddies()

    recorded = await shop.record(shop.coffees(member, 1))
    before = await shop.stamps(buddy)
    (settled,) = await shop.settle_due()

    (consequence,) = recorded.answer["consequences"]
    assert (consequence["kind"], before) == ("stamps.stamp_given/1", [])
    assert (settled.kind, settled.member_id) == ("stamps.stamp_given/1", buddy.id)
    assert (await shop.stamps(member), await shop.stamps(buddy)) == ([1], [1])
    assert await shop.settle_due() == []
    (due,) = await shop.rows("select root_id, cause_id, hop, seq, state from loyalty.due_fact")
    assert tuple(due) == (recorded.fact_id, recorded.fact_id, 1, 1, "DONE")


async def test_a_follow_on_sets_off_no_further_one(shop: Any) -> None:
    await shop.run("card", buddy_stamps=1)
    member, buddy = await shop.buddies()
    (name,) = await shop.rows("select external_id from loyalty.member where id = $1", member.id)
    await shop.record(shop.activity(buddy, "buddy", buddy=name["external_id"]))

    await shop.record(shop.coffees(member, 1))
    settled = [await shop.settle_due(), await shop.settle_due()]

    assert [len(outcomes) for outcomes in settled] == [1, 0]


async def test_what_was_not_settled_yet_is_called_off_by_a_return(shop: Any) -> None:
    await shop.run("card", buddy_stamps=3)
    member, buddy = await shop.buddies()
    purchase = shop.coffees(member, 1)
    await shop.record(purchase)

    await shop.record(shop.back(purchase))

    assert await shop.settle_due() == []
    assert (await shop.points(buddy), await shop.stamps(buddy)) == (0, [])
    (due,) = await shop.rows("select state from loyalty.due_fact")
    assert due["state"] == "CANCELLED"


@pytest.mark.parametrize("first", ["purchase", "return"])
async def test_a_purchase_and_its_return_in_one_batch_leave_no_consequence(
    shop: Any, first: str
) -> None:
    await shop.run("card", buddy_stamps=3)
    member, buddy = await shop.buddies()
    purchase = shop.coffees(member, 1)
    both = [purchase, shop.back(purchase)]

    await shop.records(*(both if first == "purchase" else reversed(both)))

    assert await shop.settle_due() == []
    assert (await shop.points(buddy), await shop.stamps(buddy)) == (0, [])
    (due,) = await shop.rows("select state from loyalty.due_fact")
    assert due["state"] == "CANCELLED"


async def test_a_return_undoes_what_a_buddy_was_granted(shop: Any) -> None:
    await shop.run("card", buddy_stamps=3)
    member, buddy = await shop.buddies()
    purchase = shop.coffees(member, 1)
    await shop.record(purchase)
    await shop.settle_due()
    assert (await shop.points(buddy), await shop.stamps(buddy)) == (10, [0])

    await shop.record(shop.back(purchase))
    (undone,) = await shop.settle_due()

    assert (undone.kind, undone.member_id) == ("FactReversed", buddy.id)
    assert (await shop.points(buddy), await shop.stamps(buddy)) == (0, [0])
    given = await shop.rows(
        "select sum(stamps)::int as stamps from loyalty.stamps_given where member_id = $1",
        buddy.id,
    )
    assert given[0]["stamps"] == 0


async def test_a_buddy_spends_and_owes_what_a_return_takes(shop: Any) -> None:
    await shop.run("card", buddy_stamps=1)
    member, buddy = await shop.buddies()
    await shop.record(shop.coffees(buddy, 2))
    purchase = shop.coffees(member, 1)
    await shop.record(purchase)
    await shop.settle_due()
    assert await shop.points(buddy) == 10

    await shop.record(shop.back(purchase))
    await shop.settle_due()

    # The buddy's own two stamps went into the card that was paid: they are gone with it.
    assert (await shop.points(buddy), await shop.stamps(buddy)) == (0, [0])


async def test_a_stamp_that_falls_due_later_comes_on_its_day(shop: Any) -> None:
    await shop.run("card", thanks_days=10)
    member = await shop.member()
    recorded = await shop.record(shop.coffees(member, 1))

    shop.pass_time(days=9)
    early = await shop.settle_due()
    shop.pass_time(days=1)
    (settled,) = await shop.settle_due()

    assert early == []
    assert (settled.kind, settled.member_id) == ("stamps.stamp_given/1", member.id)
    assert await shop.stamps(member) == [2]
    assert [c["kind"] for c in recorded.answer["consequences"]] == ["stamps.stamp_given/1"]


async def test_a_return_calls_off_what_would_have_come_later(shop: Any) -> None:
    await shop.run("card", thanks_days=10)
    member = await shop.member()
    purchase = shop.coffees(member, 1)
    await shop.record(purchase)

    await shop.record(shop.back(purchase))
    shop.pass_time(days=20)

    assert (await shop.settle_due(), await shop.stamps(member)) == ([], [0])


async def test_a_follow_on_that_is_settled_twice_counts_once(shop: Any) -> None:
    await shop.run("card", buddy_stamps=2)
    member, buddy = await shop.buddies()
    await shop.record(shop.coffees(member, 1))
    await shop.settle_due()
    (row,) = await shop.rows("select * from loyalty.due_fact")
    given = shop.plugins.codec.load(row["kind"], row["payload"], MemberRef(id=buddy.id))
    assert isinstance(given, StampGiven)

    follows = Follows(due_id=row["id"], cause_id=row["cause_id"], root_id=row["root_id"], hop=1)
    (again,) = await shop.recorder.record_many(
        shop.tenant_id, [Request(fact=given, actor="worker", follows=follows)]
    )

    assert (again.replayed, await shop.stamps(buddy)) == (True, [2])
