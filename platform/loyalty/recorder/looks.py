"""What those who hear of a fact look at: the same for all facts of a kind between two instants at
which what is in force changes, so it is worked out once for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from loyalty import facts
from loyalty.counters import stored_as, window_of
from loyalty.days import local_day
from loyalty.facts import Fact
from loyalty.plugin import Counter, Scope
from loyalty.plugin_set import PluginSet, Turn
from loyalty.settlement.batch import Summed
from loyalty.setup import Setup

DAYS_KEPT = 100


class Sums(NamedTuple):
    """Counters over their windows as they are seen from a day: the member's own, the tenant's."""

    own: list[Summed]
    shared: list[Summed]


@dataclass(slots=True)
class Looks:
    """`choosing` are the turns that say which lots or redemptions they look at, each with the type
    of fact that it hears of; `needing` those that loaders load for. Counters stand with the names
    under which they are kept: `summed` over a window, `bucketed` seen bucket by bucket."""

    choosing: Sequence[tuple[type[Fact], Turn]]
    needing: Sequence[Turn]
    traits: Sequence[str]
    summed: Sequence[tuple[str, Counter]]
    bucketed: Sequence[tuple[str, Counter]]
    _begins: Sequence[time]
    _sums: dict[tuple[date, ...], Sums] = field(default_factory=dict)

    def sums(self, at: datetime, zone: ZoneInfo) -> Sums | None:
        """The windows of counters as they are seen from an instant: one object for all of a day."""
        if not self.summed:
            return None
        days = tuple([local_day(at, zone, begins) for begins in self._begins])
        if (found := self._sums.get(days)) is None:
            if len(self._sums) == DAYS_KEPT:
                self._sums.clear()
            found = self._sums[days] = self._seen_from(at, zone)
        return found

    def _seen_from(self, at: datetime, zone: ZoneInfo) -> Sums:
        found = Sums(own=[], shared=[])
        for name, counter in self.summed:
            of = found.own if counter.scope is Scope.MEMBER else found.shared
            of.append((name, *window_of(counter, at, zone)))
        return found


def looks_of(fact: Fact, plugins: PluginSet, setup: Setup) -> Looks:
    """What is looked at in answer to a fact, by whoever may be shown something then."""
    kind = type(fact)
    corrects = isinstance(fact, facts.PurchaseRecorded) and fact.revision > 1

    def worked_out() -> Looks:
        return _worked_out(_kinds(kind, corrects, plugins, setup), plugins, setup, fact.occurred_at)

    stretch = plugins.stretch(setup, fact.occurred_at)
    return stretch.once((Looks, kind, corrects), worked_out)


def _kinds(
    kind: type[Fact], corrects: bool, plugins: PluginSet, setup: Setup
) -> Sequence[type[Fact]]:
    """What reactions may be shown in answer to a fact, itself first.

    A corrected purchase also takes the one before it back; the purchase of somebody unknown may
    enrol them.
    """
    found = [*plugins.closure(kind)]
    if corrects:
        found += plugins.closure(facts.PurchaseReversed)
    if issubclass(kind, facts.PurchaseRecorded) and setup.enroll_on_purchase:
        found += plugins.closure(facts.MemberEnrolled)
    return tuple(dict.fromkeys(found))


def _worked_out(
    kinds: Sequence[type[Fact]], plugins: PluginSet, setup: Setup, at: datetime
) -> Looks:  # fmt: skip
    turns = [(kind, turn) for kind in kinds for turn in plugins.turns(kind, setup, at)]
    summed = [one for one in _counters(turns, plugins) if not one[1].kept_days]
    first: dict[str, Turn] = {}
    for _, turn in turns:
        first.setdefault(turn.program.slug, turn)
    return Looks(
        choosing=[one for one in turns if one[1].reaction.burns or one[1].reaction.restores],
        needing=[turn for _, turn in turns if turn.reaction.needs],
        traits=list(dict.fromkeys(name for _, turn in turns for name in turn.traits)),
        summed=summed,
        bucketed=[
            (stored_as(slug, counter), counter)
            for slug, turn in first.items()
            for counter in plugins.counters(turn.plugin, turn.version)
            if counter.kept_days
        ],
        _begins=tuple(dict.fromkeys(counter.day_starts_at for _, counter in summed)),
    )


def _counters(
    turns: Sequence[tuple[type[Fact], Turn]], plugins: PluginSet
) -> Iterator[tuple[str, Counter]]:
    """The counters of each program, whichever of its reactions looks at them."""
    versions: dict[UUID, Turn] = {turn.version.id: turn for _, turn in turns}
    for turn in versions.values():
        for counter in plugins.counters(turn.plugin, turn.version):
            yield stored_as(turn.program.slug, counter), counter
