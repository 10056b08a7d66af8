"""Returns that name no revision are about the newest one, whenever that came."""

import asyncio
from contextvars import Context
from dataclasses import replace
from typing import Any

import pytest

from loyalty.errors import Code, Refused
from loyalty.facts import PurchaseRecorded, PurchaseReversed
from loyalty.purchase import ReturnedLine
from loyalty.recorder.newest import with_newest


def back(world: Any, purchase: PurchaseRecorded, *lines: Any, name: str = "r-1") -> Any:
    """A return that names no revision."""
    found: PurchaseReversed = world.back(purchase, *lines, return_id=name)
    return replace(found, purchase_revision=None)


async def test_the_newest_revision_comes_back(world: Any) -> None:
    member = await world.member()
    for revision, cents in ((1, 1_000), (2, 700), (3, 400)):
        await world.record(world.purchase(member, cents, external_id="o", revision=revision))

    returned = await world.record(back(world, world.purchase(member, 0, external_id="o")))

    assert [taken["amount"] for taken in returned.answer["takenBack"]] == [4]
    assert (await world.balance(member)).total == 0


async def test_one_that_names_a_replaced_revision_is_told_so(world: Any) -> None:
    member = await world.member()
    first = world.purchase(member, 1_000, external_id="o")
    second = world.purchase(member, 700, external_id="o", revision=2)
    await world.records(first, second)
    before = await world.digest()

    refused = await world.refusal(world.back(first))

    assert (refused.code, refused.field) == (Code.PURCHASE_CHANGED, "purchaseRevision")
    assert "newer revision" in refused.message
    assert await world.digest() == before
    await world.record(world.back(second))
    assert (await world.balance(member)).total == 0


async def test_sent_again_after_a_newer_revision_it_is_a_replay(world: Any) -> None:
    """It waited and did not fit its purchase, so that could be corrected."""
    member = await world.member()
    first = world.purchase(member, 1_000, external_id="o")
    early = back(world, first, ReturnedLine(id="1", amount=1_500))
    kept = await world.record(early)
    await world.records(first, world.purchase(member, 700, external_id="o", revision=2))

    again = await world.record(early)

    assert (again.replayed, again.answer) == (True, kept.answer)
    changed = await world.refusal(replace(early, lines=(ReturnedLine(id="1", amount=1),)))
    assert changed.code is Code.RETURN_CHANGED
    assert (await world.balance(member)).total == 7


async def test_a_return_of_a_first_revision_stays_a_replay_when_it_is_named_later(
    world: Any,
) -> None:
    member = await world.member()
    purchase = world.purchase(member, 1_000, external_id="o")
    await world.record(purchase)
    named = world.back(purchase, ReturnedLine(id="1", amount=300), return_id="r-1")
    await world.record(named)

    # Who names no revision contradicts none; who names another one does.
    assert (await world.record(replace(named, purchase_revision=None))).replayed
    other = await world.refusal(replace(named, purchase_revision=2))
    assert (other.code, other.field) == (Code.RETURN_CHANGED, "purchase_revision")


async def test_one_that_waits_is_applied_to_the_newest(world: Any) -> None:
    """The purchase and its correction come in one batch: the return is applied after both."""
    member = await world.member()
    first = world.purchase(member, 1_000, external_id="o")
    second = world.purchase(member, 700, external_id="o", revision=2)
    early = back(world, first, ReturnedLine(id="1", amount=350))
    await world.record(early)

    await world.record(first)
    refused = await world.refusal(second)

    # The return came first, so what it was applied to can be corrected no more.
    assert (refused.code, refused.field) == (Code.PURCHASE_CHANGED, "revision")
    assert (await world.balance(member)).total == 6  # 10 less 3.5, half up


async def test_in_one_batch_with_the_correction(world: Any) -> None:
    member = await world.member()
    first = world.purchase(member, 1_000, external_id="o")
    second = world.purchase(member, 700, external_id="o", revision=2)

    outcomes = await world.records(first, second, back(world, first))

    assert [outcome.kind for outcome in outcomes] == [
        "PurchaseRecorded", "PurchaseRecorded", "PurchaseReversed",
    ]  # fmt: skip
    assert outcomes[2].answer["takenBack"][0]["amount"] == 7
    assert (await world.balance(member)).total == 0


async def test_in_one_batch_with_a_purchase_of_the_same_id_from_elsewhere(world: Any) -> None:
    member = await world.member()
    first = world.purchase(member, 1_000, external_id="o")
    await world.record(first)
    elsewhere = replace(world.purchase(member, 300, external_id="o"), source="web")

    _, returned = await world.records(elsewhere, back(world, first))

    assert returned.answer["takenBack"][0]["amount"] == 10
    assert (await world.balance(member)).total == 3


@pytest.mark.parametrize("round_", range(6))
async def test_a_return_and_a_correction_at_once(world: Any, second: Any, round_: int) -> None:
    """Either the return takes the old one back and it stays, or it takes the new one back."""
    member = await world.member()
    first = world.purchase(member, 1_000, external_id="o")
    await world.record(first)
    newer = world.purchase(member, 700, external_id="o", revision=2)

    (corrected,), (returned,) = await asyncio.gather(
        world.recorder.record_many(world.tenant_id, [world.request(newer)]),
        second.record_many(world.tenant_id, [world.request(back(world, first))]),
    )

    assert not isinstance(returned, Refused), returned
    taken = returned.answer["takenBack"][0]["amount"]
    if isinstance(corrected, Refused):
        assert (corrected.code, taken) == (Code.PURCHASE_CHANGED, 10)
    else:
        assert taken == 7
    assert (await world.balance(member)).total == 0


async def test_a_correction_that_comes_between_is_seen_under_the_lock(
    world: Any, second: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made to happen: the newest is looked up, then a newer one is recorded, then it is locked."""
    member = await world.member()
    first = world.purchase(member, 1_000, external_id="o")
    await world.record(first)
    newer = world.purchase(member, 700, external_id="o", revision=2)
    looked: list[Any] = []

    async def slow(connection: Any, requests: Any) -> Any:
        found: Any = await with_newest(connection, requests)
        if not looked and requests[0].fact.KIND == "PurchaseReversed":
            looked.append(found[0].fact.purchase_revision)
            correcting = second.record_many(world.tenant_id, [world.request(newer)])
            await asyncio.create_task(correcting, context=Context())  # in another process's name
        return found

    monkeypatch.setattr("loyalty.recorder.recorder.with_newest", slow)
    returned = await world.record(back(world, first))

    assert looked == [1]
    assert returned.answer["takenBack"][0]["amount"] == 7
    assert (await world.balance(member)).total == 0
