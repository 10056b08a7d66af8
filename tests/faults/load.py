"""The load: calls at a steady rate, whether or not the ones before were answered (open loop).

A closed loop would fall silent just when the platform is in trouble, and see half of it.
"""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.faults.api import Api
from tests.faults.brand import Brand
from tests.faults.caller import Caller, balance, purchase, redemption
from tests.faults.journal import Call, Fate, Journal

START_DOLLARS = 500
RESOLVE_SECONDS = 60.0
PAUSE_SECONDS = 0.2
Mix = dict[str, int]
MIXED: Mix = {"purchase": 5, "redemption": 3, "balance": 2}


class Load:
    """Calls of one tenant, spread over `apis`; every one of them is in the journal."""

    def __init__(
        self, caller: Caller, apis: Sequence[Api], *, rate: float, mix: Mix, seed: int
    ) -> None:
        self.caller = caller
        self.journal = caller.journal
        self.apis = list(apis)
        self.rate = rate
        self._mix = mix
        self._chance = random.Random(seed)
        self._numbers = itertools.count(1)
        self._under_way: set[asyncio.Task[object]] = set()
        self._running: asyncio.Task[None] | None = None

    @property
    def now(self) -> float:
        return self.caller.now

    def start(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Send nothing more, and wait for what is under way."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None
        await asyncio.gather(*self._under_way)

    def call(self) -> Call:
        kind = self._chance.choices(list(self._mix), list(self._mix.values()))[0]
        member = self._chance.choice(self.caller.brand.members)
        key = f"{kind}-{next(self._numbers):06d}"
        made = {
            "purchase": lambda: purchase(key, member, self._chance.randint(1, 50)),
            "redemption": lambda: redemption(key, member, self._chance.randint(1, 50)),
            "balance": lambda: balance(member),
        }[kind]()
        return self.journal.add(made)

    async def fill(self) -> None:
        """Give every member something to spend, at the first API."""
        calls = [
            self.journal.add(purchase(f"start-{name}", name, START_DOLLARS))
            for name in self.caller.brand.members
        ]
        answers = await asyncio.gather(
            *(self.caller.send(call, self.apis[0].url) for call in calls)
        )
        assert all(answer.fate is Fate.DONE for answer in answers), self.journal.counts()

    def send(self, call: Call, api: Api) -> None:
        task: asyncio.Task[object] = asyncio.create_task(self.caller.send(call, api.url))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def resolve(self, patience: float = RESOLVE_SECONDS) -> int:
        """Send every call whose outcome nobody knows again, under its key, until it is known."""
        pending = self.journal.unknown()
        sent = len(pending)
        loop = asyncio.get_running_loop()
        give_up = loop.time() + patience
        while pending and loop.time() < give_up:
            for part in _parts(pending, 50):
                await asyncio.gather(
                    *(self.caller.send(call, self._api(n).url) for n, call in enumerate(part))
                )
            if pending := self.journal.unknown():
                await asyncio.sleep(PAUSE_SECONDS)
        assert not pending, f"not resolved: {[(c.key, c.answers[-1].code) for c in pending[:5]]}"
        return sent

    async def healthy(self, patience: float = RESOLVE_SECONDS) -> float:
        """Seconds until every API answers a read of this tenant again."""
        begun, left = self.now, list(self.apis)
        while left:
            assert self.now - begun < patience, f"still not well: {[api.name for api in left]}"
            probe = self.journal.add(balance(self.caller.brand.members[0]))
            if (await self.caller.send(probe, left[0].url)).fate is Fate.DONE:
                left.pop(0)
            else:
                await asyncio.sleep(0.05)
        return self.now - begun

    def _api(self, number: int) -> Api:
        return self.apis[number % len(self.apis)]

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for number in itertools.count():
            self.send(self.call(), self._api(number))
            due += 1 / self.rate
            await asyncio.sleep(max(0.0, due - loop.time()))


def _parts(calls: list[Call], size: int) -> list[list[Call]]:
    return [calls[start : start + size] for start in range(0, len(calls), size)]


@asynccontextmanager
async def loading(
    brand: Brand,
    apis: Sequence[Api],
    folder: Path,
    *,
    rate: float = 30.0,
    mix: Mix = MIXED,
    timeout: float = 15.0,
    seed: int = 1,
) -> AsyncIterator[Load]:
    """Load on these APIs from here on, with something for everybody to spend."""
    journal = Journal(folder / f"{brand.slug}.jsonl")
    caller = Caller(brand, journal, timeout=timeout)
    load = Load(caller, apis, rate=rate, mix=mix, seed=seed)
    try:
        await load.fill()
        load.start()
        yield load
    finally:
        await load.stop()
        await caller.close()
        journal.close()
