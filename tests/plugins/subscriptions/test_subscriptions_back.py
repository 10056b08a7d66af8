"""A fee that goes back in full takes with it what came with it; a part of it takes nothing."""

from typing import Any

import pytest

from loyalty_subscriptions.commands import Cancel, GiveBack, Subscribe
from loyalty_subscriptions.facts import Outcome
from tests.plugins.subscriptions.conftest import GOLD, Begin

MONTHLY = {"id": "monthly", "label": "Monthly", "points": "30", "given_with": "each"}
SAVER = {
    "id": "saver", "label": "Saver", "period": "P1M", "prices": [{"points": "50"}],
    "gifts": [MONTHLY],
}  # fmt: skip
BACK: dict[str, Any] = {
    "plans": [GOLD, SAVER],
    "cancellation": {"members_at_once": True, "refund": "full"},
}  # fmt: skip


async def test_of_money_once_all_of_it_was_given_back(club: Begin) -> None:
    story = await club(**BACK)
    ada = await story.world.member()
    await story.pays(ada, "i-1")
    assert await story.points(ada) == 100
    await story.pays(ada, "i-1", outcome=Outcome.REFUNDED, amount=500)
    await story.comes("2026-02-01T12:00")
    assert await story.points(ada) == 100
    await story.pays(ada, "i-1", outcome=Outcome.REFUNDED)
    await story.comes("2026-02-01T12:06")
    assert await story.points(ada) == 0
    told = [content["in_full"] for kind, content in await story.told() if kind == "refunded"]
    assert told == [False, True]


async def test_whichever_is_told_first(club: Begin) -> None:
    story = await club(**BACK)
    ada = await story.world.member()
    await story.pays(ada, "i-1", outcome=Outcome.REFUNDED)
    await story.pays(ada, "i-1")
    await story.comes("2026-01-31T12:06")
    assert await story.points(ada) == 0
    await story.pays(ada, "i-1", outcome=Outcome.REFUNDED, amount=991)  # nothing is left to undo
    await story.comes("2026-01-31T12:12")
    assert await story.points(ada) == 0


async def test_nobody_gains_by_coming_and_going(club: Begin) -> None:
    """Fifty points a month, thirty of which come back as a gift: with the fee they go again."""
    story = await club(**BACK)
    ada = await story.world.member()
    await story.buys(ada, "60.00")
    for minute in range(0, 30, 10):
        await story.comes(f"2026-02-01T12:{minute:02}")
        await story.ask(Subscribe, ada, plan="saver")
        assert await story.points(ada) == 40
        await story.comes(f"2026-02-01T12:{minute + 5:02}")
        await story.ask(Cancel, ada, at_once=True)
        await story.comes(f"2026-02-01T12:{minute + 9:02}")
        assert await story.points(ada) == 60


async def test_of_a_later_period_its_own_gifts_alone(club: Begin) -> None:
    story = await club(**BACK)
    ada = await story.world.member()
    await story.buys(ada, "200.00")
    await story.ask(Subscribe, ada, plan="saver")
    await story.comes("2026-03-01T12:00")
    assert await story.points(ada) == 200 - 2 * 20
    await story.ask(GiveBack, ada, reason="sorry")
    await story.comes("2026-03-01T12:06")
    assert await story.points(ada) == 200 - 20


@pytest.mark.parametrize("amount", [20, None])
async def test_what_is_given_back_was_not_earned(club: Begin, amount: int | None) -> None:
    """Counters of points granted do not see it: no tier is climbed by coming and going."""
    story = await club(**BACK)
    ada = await story.world.member()
    await story.buys(ada, "60.00")
    await story.ask(Subscribe, ada, plan="saver")
    await story.ask(GiveBack, ada, reason="sorry", amount=amount)
    rows = await story.world.rows(
        """select g -> 'granted' as granted, g -> 'uncounted' as uncounted
             from loyalty.decision d, jsonb_array_elements(d.body -> 'grants') g
            where g ->> 'rule' = 'refund'"""
    )
    assert [tuple(row) for row in rows] == [(amount or 50, True)]
