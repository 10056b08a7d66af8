"""How a tier ends: returns, grace, steps down, soft landings; and what staff and members ask."""

from typing import Any

import pytest

from loyalty.errors import Refused
from loyalty_tiers.commands import StartChallenge
from loyalty_tiers.jobs import reviews_due
from tests.plugins.tiers.recorded.conftest import SPEND, Begin, step

YEARLY: dict[str, Any] = {
    "metrics": [SPEND],
    "tiers": [
        step("basic"), step("silver", {"spend": "100"}), step("gold", {"spend": "500"}),
        step("platinum", {"spend": "1000"}),
    ],
}  # fmt: skip
ROLLING: dict[str, Any] = YEARLY | {
    "period": {"kind": "rolling", "months": 12},
    "validity": {"lasts": "span", "span": "P12M"},
}


@pytest.mark.parametrize(
    ("policy", "tier"), [("keep", "gold"), ("revoke", "silver")], ids=["keep", "revoke"]
)
@pytest.mark.parametrize("ladder", [YEARLY, ROLLING], ids=["yearly", "rolling"])
async def test_a_return_takes_the_tier_back_only_where_the_ladder_says_so(
    club: Begin, ladder: dict[str, Any], policy: str, tier: str
) -> None:
    """TI-1"""
    shop = await club("2026-03-10T09:00", **ladder, on_return=policy)
    ada = await shop.world.member()
    await shop.buys(ada, "120.00")
    made = await shop.buys(ada, "380.00")
    assert await shop.tier(ada) == "gold"
    await shop.comes("2026-03-20T09:00")
    await shop.world.record(shop.world.back(made))
    assert await shop.tier(ada) == tier
    told = [("2026-03-20T09:00", "DOWN", "silver", "RETURNED")] if policy == "revoke" else []
    assert (await shop.told(ada))[2:] == told


async def test_what_was_bought_since_stands_in_for_what_came_back(club: Begin) -> None:
    shop = await club("2026-03-10T09:00", **YEARLY, on_return="revoke")
    ada = await shop.world.member()
    made = await shop.buys(ada, "500.00")
    await shop.buys(ada, "500.00")
    await shop.world.record(shop.world.back(made))
    assert await shop.tier(ada) == "gold"


async def test_a_corrected_purchase_was_never_what_it_was_told(club: Begin) -> None:
    shop = await club("2026-03-10T09:00", **YEARLY, on_return="revoke")
    ada = await shop.world.member()
    await shop.world.record(shop.world.purchase(ada, "500.00", external_id="x-1"))
    await shop.world.record(shop.world.purchase(ada, "50.00", external_id="x-1", revision=2))
    assert await shop.tier(ada) == "basic"
    assert [told[1:] for told in await shop.told(ada)] == [
        ("UP", "gold", "REACHED"), ("DOWN", "basic", "RETURNED"),
    ]  # fmt: skip


async def test_while_the_sum_is_there_with_a_grace(club: Begin) -> None:
    shop = await club(
        "2026-03-10T09:00", **YEARLY, period={"kind": "rolling", "days": 30}, grace="P7D",
        validity={"lasts": "while_met"}, on_return="revoke",
    )  # fmt: skip
    ada, eve = await shop.world.member(), await shop.world.member()
    await shop.buys(ada, "500.00")
    await shop.buys(eve, "500.00")
    await shop.comes("2026-04-08T23:00")
    assert await shop.until(ada) is None
    await shop.comes("2026-04-09T00:10")
    assert await shop.told(ada) == [
        ("2026-03-10T09:00", "UP", "gold", "REACHED"),
        ("2026-04-09T00:00", "SAME", "gold", "IN_GRACE"),
    ]
    await shop.comes("2026-04-12T12:00")
    await shop.buys(eve, "500.00")
    assert (await shop.told(eve))[-1] == ("2026-04-12T12:00", "SAME", "gold", "KEPT")
    assert await shop.tier(ada, "2026-04-15T23:59") == "gold"
    assert await shop.tier(ada, "2026-04-16T00:00") == "basic"
    await shop.comes("2026-04-17T12:00")
    assert (await shop.told(ada))[-1] == ("2026-04-16T00:00", "DOWN", "basic", "NOT_KEPT")
    assert await shop.tier(eve) == "gold"


@pytest.mark.parametrize(
    ("keys", "tiers"),
    [
        ({}, ["basic", "basic"]),
        ({"downgrade": "one_step"}, ["gold", "silver"]),
        ({"soft_landing": 1}, ["gold", "basic"]),
        ({"soft_landing": 2}, ["silver", "basic"]),
        ({"grace": "P1M"}, ["platinum", "basic"]),
    ],
    ids=["derive", "one step", "soft landing", "two soft steps", "grace"],
)
async def test_how_far_one_falls(club: Begin, keys: dict[str, Any], tiers: list[str]) -> None:
    shop = await club("2026-03-10T09:00", **YEARLY, **keys)
    ada = await shop.world.member()
    await shop.buys(ada, "1000.00")
    found = []
    for year in ("2028", "2029"):
        await shop.comes(f"{year}-01-15T12:00")
        found.append(await shop.tier(ada))
    assert found == tiers


async def test_silver_that_was_reached_meanwhile_is_what_gold_becomes(club: Begin) -> None:
    shop = await club("2026-03-10T09:00", **YEARLY)
    ada = await shop.world.member()
    await shop.buys(ada, "500.00")
    await shop.comes("2027-03-10T09:00")
    assert await shop.tier(ada, "2028-01-01T00:00") == "basic"
    await shop.buys(ada, "100.00")
    assert await shop.tier(ada, "2027-12-31T23:59") == "gold"
    assert await shop.tier(ada, "2028-01-01T00:00") == "silver"
    await shop.buys(ada, "400.00")
    assert await shop.tier(ada, "2028-01-01T00:00") == "gold"
    assert await shop.until(ada) == "2029-01-01T00:00"


async def test_a_late_purchase_counts_where_it_happened(club: Begin) -> None:
    shop = await club("2026-12-30T09:00", **YEARLY)
    ada = await shop.world.member()
    await shop.buys(ada, "90.00")
    await shop.comes("2027-01-02T09:00")
    await shop.buys(ada, "1.00")
    await shop.buys(ada, "10.00", at="2026-12-31T20:00")
    assert await shop.tier(ada) == "silver"
    assert await shop.until(ada) == "2028-01-01T00:00"
    assert await shop.tier(ada, "2026-12-31T20:00") == "silver"


async def test_a_tier_by_hand_has_a_reason_and_an_end(club: Begin) -> None:
    shop = await club("2026-03-10T09:00", **YEARLY)
    ada = await shop.world.member()
    await shop.set(ada, "gold", until=shop.local("2026-06-10T09:00"), reason="a bad flight")
    assert await shop.tier(ada) == "gold"
    await shop.buys(ada, "150.00")
    assert await shop.tier(ada) == "gold"
    await shop.comes("2026-06-10T09:00")
    assert await shop.told(ada) == [
        ("2026-03-10T09:00", "UP", "gold", "SET"),
        ("2026-06-10T09:00", "DOWN", "silver", "NOT_KEPT"),
    ]


async def test_what_is_locked_stays_until_its_end(club: Begin) -> None:
    shop = await club("2026-03-10T09:00", **YEARLY)
    ada = await shop.world.member()
    await shop.buys(ada, "500.00")
    await shop.set(ada, "", until=shop.local("2026-06-10T00:00"), locked=True, reason="fraud")
    await shop.buys(ada, "500.00")
    assert await shop.tier(ada) == "basic"
    await shop.comes("2026-06-10T00:00")
    assert await shop.tier(ada) == "platinum"


async def test_by_invitation_only(club: Begin) -> None:
    vip = step("vip", {"spend": "300"}, by_invitation=True)
    ladder = YEARLY | {"tiers": [*YEARLY["tiers"][:2], vip]}
    shop = await club("2026-03-10T09:00", **ladder)
    ada = await shop.world.member()
    await shop.buys(ada, "900.00")
    assert await shop.tier(ada) == "silver"
    await shop.set(ada, "vip", until=shop.local("2028-01-01T00:00"))
    assert (await shop.told(ada))[-1][1:] == ("UP", "vip", "INVITED")
    await shop.comes("2027-05-01T12:00")
    await shop.buys(ada, "300.00")
    await shop.comes("2028-01-01T12:00")
    assert (await shop.told(ada))[-1] == ("2027-05-01T12:00", "SAME", "vip", "KEPT")
    assert await shop.tier(ada, "2029-01-01T00:00") == "basic"


CHALLENGES = {
    "challenges": [
        {
            "id": "sprint", "label": "Sprint", "tier": "gold", "lasts": "P30D",
            "qualify": [{"needs": {"spend": "200"}}],
        },
        {
            "id": "match", "label": "Status match", "tier": "gold", "lasts": "P90D",
            "qualify": [{"needs": {"spend": "100"}}], "meanwhile": True,
            "validity": {"lasts": "span", "span": "P6M"},
        },
    ]
}  # fmt: skip


async def test_a_challenge_counts_from_when_it_was_taken(club: Begin) -> None:
    shop = await club("2026-03-10T09:00", **YEARLY, **CHALLENGES)
    ada, eve = await shop.world.member(), await shop.world.member()
    await shop.buys(ada, "150.00")
    await shop.takes(ada, "sprint")
    assert await shop.tier(ada) == "silver"
    await shop.buys(ada, "199.00")
    assert await shop.tier(ada) == "silver"
    await shop.takes(eve, "sprint")
    await shop.comes("2026-04-08T23:59")
    await shop.buys(ada, "1.00")
    assert (await shop.told(ada))[-1] == ("2026-04-08T23:59", "UP", "gold", "CHALLENGE")
    assert await shop.until(ada) == "2028-01-01T00:00"

    await shop.comes("2026-04-09T00:00")
    await shop.buys(eve, "200.00")
    assert await shop.tier(eve) == "silver"
    with pytest.raises(Refused, match="took it already"):
        await shop.takes(eve, "sprint")


async def test_a_status_match_has_to_be_earned(club: Begin) -> None:
    shop = await club("2026-03-10T09:00", **YEARLY, **CHALLENGES)
    ada, eve = await shop.world.member(), await shop.world.member()
    for member in (ada, eve):
        await shop.takes(member, "match")
        assert await shop.tier(member) == "gold"
    assert await shop.tier(ada, "2026-06-08T00:00") == "basic"
    await shop.comes("2026-05-10T09:00")
    await shop.buys(ada, "100.00")
    assert await shop.until(ada) == "2026-11-10T00:00"
    await shop.comes("2026-06-09T09:00")
    assert (await shop.told(eve))[-1] == ("2026-06-08T00:00", "DOWN", "basic", "CHALLENGE_FAILED")
    assert await shop.tier(ada) == "gold"
    refusal = await shop.world.refusal(
        StartChallenge(
            member=eve, occurred_at=shop.world.clock.now(), program="status", challenge="mach"
        )
    )
    assert (refusal.code, refusal.message) == (
        "NOT_FOUND", "the ladder has no such challenge: did you mean match?",
    )  # fmt: skip


async def test_whose_tier_cannot_end_stands_before_nobody(
    club: Begin, refused_of_one: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyalty_tiers.jobs.AT_ONCE", 1)
    shop = await club("2026-03-10T09:00", **YEARLY)
    members = [await shop.world.member() for _ in range(2)]
    for member in members:
        await shop.buys(member, "120.00")
    await shop.comes("2029-01-01T09:00", worked=False)

    first, then = await refused_of_one(shop.world, reviews_due)

    assert {first, *then} == {member.id for member in members}
    await shop.comes("2029-01-01T10:00")
    assert [await shop.tier(member) for member in members] == ["basic", "basic"]
