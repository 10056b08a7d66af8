"""Counters: every program measures each fact of a settlement with what it was granted.

Measured are the root and each fact emitted in answer to it. Grants in answer to what the kernel
tells (`Granted`, ...) belong to the fact that set them off, so that none escapes a budget.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from loyalty.agenda import Kept, Stretch
from loyalty.codec import Codec
from loyalty.days import iso
from loyalty.effects import AccountingClass
from loyalty.facts import Counted, Fact
from loyalty.plugin import Counter, Scope
from loyalty.settlement.settling import Settling
from loyalty.view import GrantView, Measured, Stage

GIVEN_AT = "givenAt"  # of a row of a return's decision: when that was given which it settles


def count(s: Settling) -> bool:
    """Let every counter of every program measure what happened since they did last.

    Drafts that fill up count as well. Rules that have to know what came of it are told: whether
    there is anything to tell, to which they may answer by what is measured again.
    """
    if counters := counting(s, s.stretch):
        fresh, s.counted = s.measured[s.counted :], len(s.measured)
        gave = {grant.rule for _, grants in fresh for grant in grants}
        for program, name, counter in counters if fresh else ():
            if counter.rules and counter.rules.isdisjoint(gave):
                continue
            if delta := measured_by(counter, program.slug, fresh):
                s.counts.append((name, counter, s.at, delta))
    if s.moved or s.told_of < len(s.counts):
        _tell(s)
    return bool(s.queue)


def _tell(s: Settling) -> None:
    """What a correction takes back is not told: the new revision is, with both in the counters."""
    if s.stretch.turns(Counted) and not s.request.correcting:
        moved = s.moved.union(name.partition("/")[0] for name, *_ in s.counts[s.told_of :])
        s.of, s.granters = 0, frozenset()
        programs = tuple(sorted(moved))
        s.follow(Counted(member=s.fact.member, occurred_at=s.at, programs=programs))
    s.told_of = len(s.counts)
    s.moved.clear()


def counting(s: Settling, stretch: Stretch) -> Sequence[Kept]:
    """The counters that what happened in a stretch is measured by, with their full names."""
    found = stretch.counted
    if s.member is not None or not found:
        return found
    return [one for one in found if one[2].scope is not Scope.MEMBER]


def measured_by(counter: Counter, program: str, measured: Measured) -> int:
    return sum([counter.measure(fact, grants, program) for fact, grants in measured])


def measured_left(counter: Counter, program: str, left: Measured, bore: Measured) -> int:
    """What is measured of what is left of a fact; where nothing is, of what was spent of it."""
    return measured_by(counter, program, left or (bore if counter.bears else ()))


def measured_of(counter: Counter, program: str, fact: Fact, grant: GrantView) -> int:
    """What one grant adds to what is measured of its fact."""
    measure = counter.measure
    return measure(fact, [grant], program) - measure(fact, [], program)


def count_at(s: Settling, row: dict[str, Any], seen: GrantView, at: datetime) -> None:
    """Let counters measure what a return gives or takes as of an instant, and its row say so.

    So much more is counted there as less now: now it is measured with all the rest.
    """
    row[GIVEN_AT] = iso(at)
    if at == s.at:
        return
    fact = s.measured[s.of][0]
    for instant, stretch, sign in ((s.at, s.stretch, -1), (at, s.batch.stretch(at), 1)):
        for program, name, counter in counting(s, stretch):
            if moved := measured_of(counter, program.slug, fact, seen):
                s.counts.append((name, counter, instant, sign * moved))


def given_at(row: Mapping[str, Any]) -> datetime | None:
    """When a return gave or took as of, by its decision's row; None: now, or it is none of one."""
    return None if (at := row.get(GIVEN_AT)) is None else datetime.fromisoformat(at)


def is_counted_alone(row: Mapping[str, Any]) -> bool:
    """Whether a row of a return's decision gives and takes nothing: only counters heed it."""
    return GIVEN_AT in row and not row["wanted"]


def from_history(codec: Codec, fact: Fact, body: Mapping[str, Any]) -> Measured:
    """What was measured when `fact` was recorded, out of its decision: to fill a new counter."""
    return as_recorded(codec, fact, body.get("emitted", ()), body.get("grants", ()))


def as_recorded(
    codec: Codec, fact: Fact, emitted: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
) -> Measured:  # fmt: skip
    """What was measured of a fact, out of the rows of what it emitted and was granted."""
    facts = [fact, *(codec.load(one["kind"], one["payload"], fact.member) for one in emitted)]
    grants: list[list[GrantView]] = [[] for _ in facts]
    for row in rows:
        if not row.get("uncounted"):
            grants[row.get("of", 0)].append(granted_view(row))
    return list(zip(facts, grants, strict=True))


def granted_view(row: Mapping[str, Any]) -> GrantView:
    """A grant out of a decision's row of it, which says what really moved."""
    bore = row.get("borne", 0)
    return GrantView(
        program=row["program"],
        rule=row["rule"],
        unit=row["unit"],
        stage=Stage[row["stage"]],
        wanted=row["wanted"],
        granted=row["granted"] - bore + row.get("more", 0),
        accounting_class=AccountingClass(row["class"]),
        lines=row["lines"],
        cut_by=row.get("cutBy"),
        postponed=row.get("postponed"),
        inputs=row.get("inputs"),
        borne=bore,
        uses=row.get("uses", 0),
    )
