"""Corrections by hand."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.commands import AdjustBalance
from loyalty.errors import Code


def by(world: Any, member: Any, amount: int, **more: Any) -> AdjustBalance:
    return AdjustBalance(
        member=member, occurred_at=world.clock.now(), amount=amount,
        **{"unit": "points", "reason_code": "GOODWILL", **more},
    )  # fmt: skip


async def test_taking_more_than_there_is_needs_to_be_allowed(world: Any) -> None:
    """SQ-9: adjust by -10 at balance 4."""
    member = await world.member()
    await world.record(by(world, member, 4))

    refused = await world.refusal(by(world, member, -10))
    await world.record(by(world, member, -10, allow_deficit=True))

    assert refused.code is Code.INSUFFICIENT_BALANCE
    balance = await world.balance(member)
    assert balance.available - balance.deficit == -6


async def test_an_adjustment_is_called_so_in_the_statement(world: Any) -> None:
    member = await world.member()
    for amount, allow in ((10, False), (-3, False), (-9, True)):
        await world.record(by(world, member, amount, allow_deficit=allow, note="sorry"))

    rows = await world.rows("select kind, amount, rule, label from loyalty.posting order by seq")
    assert {row["kind"] for row in rows} == {"ADJUST"}
    assert {(row["rule"], row["label"]) for row in rows} == {("adjustment:GOODWILL", "sorry")}


async def test_given_points_end_when_it_is_said(world: Any) -> None:
    member = await world.member()
    ends = world.clock.now() + timedelta(days=3)

    recorded = await world.record(by(world, member, 4, expires_at=ends))

    assert recorded.answer["earned"][0]["expiresAt"] == ends.isoformat().replace("+00:00", "Z")
    assert (await world.balance(member, at=ends)).available == 0


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"amount": 0}, Code.BAD_AMOUNT, "amount"),
        ({"amount": 1, "unit": "gold"}, Code.UNIT_NOT_FOUND, "unit"),
        ({"amount": 1, "ends": timedelta(0)}, Code.BAD_USER_INPUT, "expiresAt"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    world: Any, more: dict[str, Any], code: Code, field: str
) -> None:
    member = await world.member()
    if (ends := more.pop("ends", None)) is not None:
        more["expires_at"] = world.clock.now() + ends

    refused = await world.refusal(by(world, member, more.pop("amount"), **more))

    assert (refused.code, refused.field) == (code, field)
