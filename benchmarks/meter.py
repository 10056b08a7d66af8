"""Measuring: the CPU of processes, and ways of doing one thing by turns."""

import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from statistics import median

import psutil


@dataclass(frozen=True, slots=True)
class Sample:
    """Units done, and what they took: wall clock and, of ours, of Python's and Postgres' CPU."""

    units: int
    seconds: float
    python: float = 0.0
    postgres: float = 0.0

    @property
    def rate(self) -> float:
        return self.units / self.seconds

    @property
    def cost(self) -> float:
        """CPU seconds a unit, of Python and Postgres."""
        return (self.python + self.postgres) / self.units


Work = Callable[[], Awaitable[int]]
Way = Callable[[], Awaitable[Sample]]


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def family(root: psutil.Process) -> float:
    """CPU of a process, of its children that live and, where the system counts it, of those that
    ended."""
    times = root.cpu_times()
    total = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    for process in [root, *root.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            total += cpu(process)
    return float(total)


def servers_here() -> set[psutil.Process]:
    """The Postgres servers that this process has started."""
    children = psutil.Process().children()
    return {child for child in children if child.name().startswith("postgres")}


async def timed(
    work: Work, python: psutil.Process | None = None, postgres: psutil.Process | None = None
) -> Sample:
    """Measure work that answers how many units it did; `python` is where else it runs."""
    here = python or psutil.Process()
    used, served = cpu(here), 0.0 if postgres is None else family(postgres)
    begun = time.perf_counter()
    units = await work()
    seconds = time.perf_counter() - begun
    served = 0.0 if postgres is None else family(postgres) - served
    return Sample(units, seconds, cpu(here) - used, served)


async def by_turns(ways: Iterable[Way], rounds: int) -> list[Sample]:
    """The median of each way over rounds in which all have their turn, each round another first."""
    order = list(enumerate(ways))
    samples: list[list[Sample]] = [[] for _ in order]
    for _ in range(rounds):
        for index, way in order:
            samples[index].append(await way())
        order.append(order.pop(0))
    return [middle(each) for each in samples]


def middle(samples: list[Sample]) -> Sample:
    """The median rate; CPU is counted in ticks of 10 ms, so its mean over all says more."""
    units = sum(sample.units for sample in samples)
    return Sample(
        units=1,
        seconds=1 / median(sample.rate for sample in samples),
        python=sum(sample.python for sample in samples) / units,
        postgres=sum(sample.postgres for sample in samples) / units,
    )
