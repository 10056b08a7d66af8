"""What others are told of a standing, and of its end before it comes.

The trait of any instant to come is set in advance, and what came late sets it in the past. What was
set once stands in the table, so a standing remembers all of it that lies after its beginning
(`plan`) and sets it anew where it is not so any more.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from loyalty_tiers.climbing import Step
from loyalty_tiers.standing import Standing

Rows = list[tuple[datetime, str | None]]
# Of one tier that is renewed again and again. What came so late that it lies before all of these
# leaves in between what was told of then; from the first of these on all is set anew.
BEHIND_MAX = 40


def foretold(
    before: Standing, now: Standing, steps: Sequence[Step], at: datetime
) -> tuple[Standing, Rows]:
    """The standing with all that is set after it began, and what is to be set from when on."""
    stood = {before.since: before.tier} | dict(before.plan)
    turns = {step.at for step in steps if step.now.tier != step.before.tier}
    if now.then_at is not None:
        turns.add(now.then_at)
    told = {one: _at(before, now, steps, one) for one in sorted(turns | stood.keys())}
    rows = [(one, tier) for one, tier in told.items() if one not in stood or stood[one] != tier]
    last = max([at, *(step.at for step in steps)])
    behind = [row for row in told.items() if now.since < row[0] <= last]
    ahead = [row for row in told.items() if row[0] > max(last, now.since)]
    plan = (*behind[-BEHIND_MAX:], *ahead)
    return replace(now, plan=plan, version=before.version + 1), rows


def _at(before: Standing, now: Standing, steps: Sequence[Step], instant: datetime) -> str | None:
    """The tier at an instant from where the first of both standings began."""
    if now.then_at is not None and now.then_at <= instant:
        return now.then
    passed = [step.now.tier for step in steps if step.at <= instant]
    return passed[-1] if passed else before.tier
