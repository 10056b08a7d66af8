"""A program of the tests that counts: a point per dollar, at most so many a member in a month."""

from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from loyalty.effects import Effect, Grant, Least, TakeBack
from loyalty.facts import Fact, PurchaseRecorded
from loyalty.plugin import Counter, Plugin, Scope, Window, on
from loyalty.view import GrantView, Stage, View


class Config(BaseModel):
    cap: int = 10**9
    returns: bool = True
    least: int = 0
    """Cents of goods without which nothing of it is kept."""
    back: TakeBack = TakeBack.DEFICIT


def _earn(config: Config, fact: PurchaseRecorded, view: View) -> Iterator[Effect]:
    lines = {line.id: line.net // 100 for line in fact.lines}
    wanted = sum(lines.values())
    left = max(0, config.cap - view.counters["given"])
    while_left = (Least(amount=config.least, of={x.id: x.net for x in fact.lines}),)
    if wanted:
        yield Grant(
            unit="points", wanted=wanted, granted=min(wanted, left), rule="base", lines=lines,
            take_back=config.back, while_left=while_left if config.least else (),
            cut_by="CAP" if left < wanted else None,
        )  # fmt: skip


def _given(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
    return sum(g.granted for g in grants if (g.program, g.rule) == (program, "base"))


def _visits(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
    return int(isinstance(fact, PurchaseRecorded))


def _spend(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
    return fact.total if isinstance(fact, PurchaseRecorded) else 0


def _cut(fact: Fact, grants: Sequence[GrantView], program: str) -> int:
    return sum(g.wanted - g.granted for g in grants if g.program == program)


def _counters(config: Config) -> list[Counter]:
    measures = {"given": _given, "visits": _visits, "spend": _spend, "cut": _cut}
    return [
        Counter(
            name=name, scope=scope, window=Window.MONTH, measure=measure, returns=config.returns
        )
        for name, measure in measures.items()
        for scope in [Scope.TENANT if name == "spend" else Scope.MEMBER]
    ]  # fmt: skip


CAPPED = Plugin(
    name="capped",
    config=Config,
    reactions=(on(PurchaseRecorded, Config, _earn, stage=Stage.BASE),),
    counters=_counters,
)
