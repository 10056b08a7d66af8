"""What staff and members ask of a ladder: a tier by hand, a challenge. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from loyalty.days import day_start, local_day
from loyalty.effects import Effect, Refuse
from loyalty.errors import Code
from loyalty.view import View
from loyalty_earning.choices import hint
from loyalty_tiers.challenging import taken
from loyalty_tiers.climbing import Step, advance, looked_ahead
from loyalty_tiers.commands import SetTier, StartChallenge
from loyalty_tiers.config import TiersConfig
from loyalty_tiers.counting import Sums
from loyalty_tiers.rules import changed, first_tier, standing_of
from loyalty_tiers.standing import Reason, Standing


def set_tier(config: TiersConfig, command: SetTier, view: View) -> Iterator[Effect]:
    """Give a member a tier by hand."""
    if command.program != view.program or view.member is None:
        return
    at, tier = command.occurred_at, command.tier or (first_tier(config) or "")
    if tier and tier not in config.by_id:
        yield _no("tier", f"the ladder has no such tier{hint(tier, [*config.by_id])}")
        return
    if command.until is not None and command.until <= at:
        yield _no("until", "must be later than now", Code.BAD_USER_INPUT)
        return
    sums, was = Sums.of(config, view), standing_of(config, view, at)
    before, steps = advance(was, sums, at)
    now = _given(before, sums, command, tier, at)
    steps.append(Step(at=at, before=before, now=now))
    yield from changed(sums, was, looked_ahead(now, sums, at), steps, view, at)


def _given(before: Standing, sums: Sums, command: SetTier, tier: str, at: datetime) -> Standing:
    """The standing of who was given a tier by hand."""
    invited = bool(tier) and sums.config.by_id[tier].by_invitation
    return Standing(
        tier=tier or None,
        since=before.since if before.tier == (tier or None) else at,
        reached_at=at,
        reason=Reason.INVITED if invited else Reason.SET,
        until=command.until,
        less=sums.on_day(day_start(local_day(at, sums.zone), sums.zone)),
        challenge=before.challenge,
        taken=before.taken,
        offers=before.offers,
        locked=command.locked,
        note=command.reason,
    )


def start_challenge(config: TiersConfig, command: StartChallenge, view: View) -> Iterator[Effect]:
    """Begin a challenge, as often as the ladder lets a member take it."""
    if command.program != view.program or view.member is None:
        return
    at, challenge = command.occurred_at, config.challenges_by_id.get(command.challenge)
    if challenge is None:
        known = hint(command.challenge, [*config.challenges_by_id])
        yield _no("challenge", f"the ladder has no such challenge{known}")
        return
    was, sums = standing_of(config, view, at), Sums.of(config, view)
    before, steps = advance(was, sums, at)
    if before.challenge is not None:
        yield _no("challenge", "another one is under way", Code.LIMIT_REACHED)
    elif before.taken.get(challenge.id, 0) >= challenge.times:
        yield _no("challenge", "the member took it already", Code.LIMIT_REACHED)
    elif config.rank(before.tier) >= config.rank(challenge.tier):
        yield _no("challenge", "the member has that tier, or a better one", Code.BAD_USER_INPUT)
    else:
        now = replace(taken(before, sums, challenge, at), note=command.reason)
        steps.append(Step(at=at, before=before, now=now))
        yield from changed(sums, was, looked_ahead(now, sums, at), steps, view, at)


def _no(field: str, message: str, code: Code = Code.NOT_FOUND) -> Refuse:
    return Refuse(code=code, message=message, field=field)
