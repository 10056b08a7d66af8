"""Programs side by side, whatever happens in whatever order: the sums and the tiers follow.

A few stories, always the same; LOYALTY_PROPERTY_EXAMPLES says how many others, and
LOYALTY_PROPERTY_STEPS how long they are.
"""

import os
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from tests.kernel.conftest import World
from tests.plugins.together.crowd import PLUGINS, Crowd

STORIES = [(False, 6), (False, 12), (True, 20)]
STORIES += [
    (bool(n % 2), 100 + n) for n in range(int(os.environ.get("LOYALTY_PROPERTY_EXAMPLES", "0")))
]
STEPS = int(os.environ.get("LOYALTY_PROPERTY_STEPS", "30"))
reached: Counter[str] = Counter()


@pytest.mark.parametrize(("by_sums", "seed"), STORIES)
async def test_the_ledger_is_what_the_books_say(
    make_world: Callable[..., Awaitable[World]], hands: Any, seed: int, by_sums: bool
) -> None:
    world = await make_world(None, plugins=PLUGINS, backdating=timedelta(days=400))
    crowd = Crowd(world, hands, Random(seed), by_sums=by_sums)
    await crowd.begin()
    for step in range(STEPS):
        await crowd.happens()
        if step % 3 == 0:
            await crowd.agrees()
    for member in crowd.members:
        for one in member.bought.values():
            await crowd.brings_back(one, whole=True)
    await crowd.agrees()
    await world.audited()
    reached.update(crowd.reached)


@pytest.mark.parametrize(
    ("situation", "floor"),
    [("buys", 12), ("late", 4), ("returns", 8), ("corrects", 3), ("publishes", 2), ("freezes", 1)],
)  # fmt: skip
def test_the_interesting_situations_were_reached(situation: str, floor: int) -> None:
    assert reached[situation] >= floor, reached
