"""The rules of a ladder: pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from loyalty.effects import Effect, Emit, SetTrait, Write
from loyalty.facts import Counted, MemberRef
from loyalty.units import format_minor
from loyalty.view import View
from loyalty_tiers.climbing import Step, advance
from loyalty_tiers.config import TiersConfig
from loyalty_tiers.counting import Sums
from loyalty_tiers.deriving import start
from loyalty_tiers.facts import ReviewDue, TierChanged
from loyalty_tiers.foretelling import foretold
from loyalty_tiers.standing import Reason, Standing
from loyalty_tiers.standings import NEED, StandingRow

TIER = "tier"
TIERS = "tiers"


def look(config: TiersConfig, fact: Counted | ReviewDue, view: View) -> Iterator[Effect]:
    """Look at a member's standing after something was counted, or because it is due."""
    named = fact.programs if isinstance(fact, Counted) else (fact.program,)
    if view.member is None or view.program not in named:
        return
    at, sums = fact.occurred_at, Sums.of(config, view)
    standing = standing_of(config, view, at)
    now, steps = advance(standing, sums, at)
    yield from changed(sums, standing, now, steps, view, at)


def standing_of(config: TiersConfig, view: View, at: datetime) -> Standing:
    """As it was loaded, or written since; where everybody starts, if it never changed."""
    for row in reversed(view.written):
        if isinstance(row, StandingRow):
            return row.standing
    found: Standing | None = view.needs[NEED]
    if found is not None:
        return found
    enrolled = view.member.enrolled_at if view.member else None
    return start(config, min(at, enrolled or at))


def changed(
    sums: Sums, before: Standing, now: Standing, steps: list[Step], view: View, at: datetime
) -> Iterator[Effect]:
    """Keep a standing, let others know of it, and tell what changed."""
    now, rows = foretold(before, _until_other_rules(now, view, at), steps, at)
    if now == before:
        return
    yield Write(row=StandingRow(now))
    for since, tier in rows:
        yield SetTrait(name=TIER, value=tier or "", since=since)
        yield SetTrait(name=TIERS, value=sums.config.at_least(tier), since=since)
    for step in steps:
        yield Emit(fact=_told(sums, step, view))


def _until_other_rules(now: Standing, view: View, at: datetime) -> Standing:
    """What happened before other rules came into force is judged by those of then; the standing is
    looked at once more as of when they changed."""
    program = view.setup.program(view.program)
    versions = () if program is None else program.versions
    later = [one.effective_from for one in versions if one.effective_from > at]
    if not later or (now.due_at is not None and now.due_at <= min(later)):
        return now
    return replace(now, due_at=min(later))


def _told(sums: Sums, step: Step, view: View) -> TierChanged:
    assert view.member is not None
    rank = sums.config.rank
    was, now = rank(step.before.tier), rank(step.now.tier)
    if step.now.reason is Reason.NEW_RULES:
        was = now  # there is no telling whether it is above one that is gone
    return TierChanged(
        member=MemberRef(id=view.member.id),
        occurred_at=step.at,
        program=view.program,
        change="UP" if now > was else "DOWN" if now < was else "SAME",
        reason=step.now.reason.value,
        before=step.before.tier or "",
        tier=step.now.tier or "",
        since=step.now.since,
        until=step.now.ends_at or step.now.until,
        sums={
            metric.id: format_minor(
                sums.have(metric.id, sums.window(metric.id, step.at)), sums.places[metric.id]
            )
            for metric in sums.config.metrics
        },
        note=step.now.note,
    )


def first_tier(config: TiersConfig) -> str | None:
    """The tier of whom nothing is known."""
    return config.first.id if config.first else None


def first_tiers(config: TiersConfig) -> list[str] | None:
    return [config.first.id] if config.first else None


def tier_ids(config: TiersConfig) -> list[str]:
    """All that a member's tier can be."""
    return [tier.id for tier in config.tiers]
