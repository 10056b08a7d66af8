"""What others are told of a standing, and of its end before it comes.

The trait of any instant to come is set in advance. What was set once stands in the table, so a
standing remembers all of it that lies ahead (`plan`) and sets it anew where it is not so any more.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from loyalty_tiers.climbing import Step
from loyalty_tiers.standing import Standing

Rows = list[tuple[datetime, str | None]]


def foretold(
    before: Standing, now: Standing, steps: Sequence[Step], at: datetime
) -> tuple[Standing, Rows]:
    """The standing with all that is set ahead of it, and what is to be set from when on."""
    rows: dict[datetime, str | None] = {}
    for step in steps:
        if step.now.tier != before.at(step.at):
            rows[step.at] = step.now.tier
            if step.at < before.since:  # reached late: it also stands in place of what came since
                rows[before.since] = step.now.tier
    last = max([at, *(step.at for step in steps)])
    ahead = {instant: tier for instant, tier in before.plan if instant > last}
    plan = {instant: _at(now, instant) for instant in ahead}
    if now.then_at is not None:
        plan[now.then_at] = now.then
    rows |= {one: tier for one, tier in plan.items() if one not in ahead or ahead[one] != tier}
    now = replace(now, plan=tuple(sorted(plan.items())), version=before.version + 1)
    return now, sorted(rows.items(), key=_when)


def _at(now: Standing, instant: datetime) -> str | None:
    return now.then if now.then_at is not None and now.then_at <= instant else now.tier


def _when(row: tuple[datetime, str | None]) -> datetime:
    return row[0]
