"""A purchase corrected by its shop: the new revision stands in place of the one before."""

from dataclasses import replace
from typing import Any

from loyalty.errors import Code
from loyalty.purchase import ReturnedLine


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

    skipping = await world.refusal(world.purchase(member, 700, external_id="o-1", revision=3))
    stranger = await world.refusal(world.purchase(other, 700, external_id="o-1", revision=2))
    await world.record(world.back(first, ReturnedLine(id="1", amount=100)))
    returned = await world.refusal(world.purchase(member, 700, external_id="o-1", revision=2))

    assert [(r.code, r.field) for r in (skipping, stranger, returned)] == [
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
