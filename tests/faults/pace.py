"""A client at an unhurried, steady pace, and how long it waits for each answer."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from tests.faults.api import Api
from tests.faults.journal import Fate, Journal
from tests.faults.load import Load


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that answers took: of a hundred, the 50th, the 95th and the 99th slowest; and what
    was answered otherwise than it should."""

    answers: int
    others: Counter[str]
    p50: float
    p95: float
    p99: float

    def __str__(self) -> str:
        p50, p95, p99 = (round(1000 * each, 1) for each in (self.p50, self.p95, self.p99))
        return f"p50 {p50} ms, p95 {p95} ms, p99 {p99} ms"


def pace(journal: Journal, since: float, until: float) -> Pace:
    """Of the calls sent in that time."""
    answers = list(journal.answers(since=since, until=until))
    assert answers
    others = Counter(answer.code for answer in answers if answer.fate is not Fate.DONE)
    cuts = quantiles([answer.seconds for answer in answers], n=100, method="inclusive")
    return Pace(len(answers), others, cuts[49], cuts[94], cuts[98])


class Stretch:
    """The pace of a load in the block; to be read after it."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.since = load.now
        self.until = load.now

    async def end(self) -> None:
        self.until = self._load.now
        # So that what was sent last is answered, too.
        await asyncio.sleep(2.0)

    @property
    def pace(self) -> Pace:
        return pace(self._load.journal, self.since, self.until)


@dataclass(frozen=True, slots=True)
class Shares:
    """Seconds that a process ran, and that it was ready to and had to wait for a processor."""

    ran: float
    waited: float


def shares(api: Api) -> Shares:
    try:
        ran, waited, _ = Path(f"/proc/{api.pid}/schedstat").read_text().split()
    except FileNotFoundError:  # no Linux, or one that does not count this
        return Shares(0.0, 0.0)
    return Shares(int(ran) / 1e9, int(waited) / 1e9)


def starved(api: Api, before: Shares) -> bool:
    """Whether the process got less than half of the CPU that it asked for since: then how long
    something took says how busy the machine is, and nothing about the process."""
    now = shares(api)
    return now.waited - before.waited > now.ran - before.ran


@asynccontextmanager
async def stretch(load: Load) -> AsyncIterator[Stretch]:
    made = Stretch(load)
    yield made
    await made.end()
