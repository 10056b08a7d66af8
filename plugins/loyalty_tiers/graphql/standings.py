"""What tiers add to the schema: a member's standings, with what is still needed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import strawberry

from loyalty.facts import MemberRef as Ref
from loyalty.setup import Program, Setup
from loyalty.view import MemberView
from loyalty_graphql.access import reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.members import Member
from loyalty_graphql.scalars import Decimal
from loyalty_tiers.challenges import Challenge
from loyalty_tiers.climbing import advance
from loyalty_tiers.config import TiersConfig
from loyalty_tiers.counting import Sums
from loyalty_tiers.deriving import start
from loyalty_tiers.graphql.tiers import LadderTier, shown_tier
from loyalty_tiers.kept_sums import counted, stored_names, sums_of
from loyalty_tiers.ladders import ladders
from loyalty_tiers.progress import Part, Progress, Way, progress
from loyalty_tiers.standing import Standing
from loyalty_tiers.standings import standings_of

NO_ROWS: Sequence[tuple[datetime, int]] = ()


@strawberry.type
@reached
class QualifyingPart:
    """One minimum of a way to a tier."""

    metric: str
    """Id of what is counted."""
    label: str
    """What members read."""
    needed: Decimal
    """The least that is needed."""
    have: Decimal
    """What was counted so far."""
    missing: Decimal
    """What is still needed; 0 where nothing is."""
    since: datetime | None
    """From when on it counts; null: ever."""
    before: datetime | None
    """The first instant that counts no more; null: no end is set."""


@strawberry.type
@reached
class QualifyingPath:
    """One way to a tier: all of its parts together."""

    met: bool
    """Whether nothing is missing."""
    parts: list[QualifyingPart]
    """Its minimums."""


@strawberry.type
@reached
class ChallengeUnderWay:
    """A challenge that a member took."""

    id: str
    """Names it."""
    label: str
    """What members read."""
    tier: str
    """Id of the tier that it leads to."""
    since: datetime
    """When it was taken."""
    until: datetime
    """The first instant at which it is too late."""
    paths: list[QualifyingPath]
    """What is to be done, any of these."""


@strawberry.type
@reached
class MemberStanding:
    """Where a member stands on a ladder."""

    program: str
    """Slug of the program."""
    tier: LadderTier | None
    """The tier; null: none yet."""
    since: datetime
    """Since when they have it."""
    until: datetime | None
    """The first instant at which it is theirs no more if it is not kept, its grace included; null:
    no end is known."""
    in_grace: bool
    """Whether its validity is over and it stays for the time being."""
    reason: str
    """Why they have it: START, REACHED, KEPT, LIFETIME, IN_GRACE, NOT_KEPT, SOFT_LANDING,
    CHALLENGE, CHALLENGE_FAILED, SET, INVITED, RETURNED or NEW_RULES."""
    note: str
    """The reason that staff gave; empty where there is none."""
    next_tier: LadderTier | None
    """The next tier that can be reached by what is counted; null: there is none."""
    to_next: list[QualifyingPath]
    """The ways to the next tier, any of which will do."""
    to_keep: list[QualifyingPath]
    """The ways to keep this tier, any of which will do; none where it does not end."""
    challenge: ChallengeUnderWay | None
    """A challenge that the member took, with what is still needed; null: none is under way."""


@strawberry.field
async def standings(
    root: strawberry.Parent[Member], info: RequestInfo, program: str | None = None
) -> list[MemberStanding]:
    """Where the member stands on the tenant's ladders, and what is needed to climb or to stay.

    :param program: slug of a program; default: all of them
    """
    return await shown_standings(info.context, root.key, program)


async def shown_standings(
    context: Context, member_id: UUID, program: str | None
) -> list[MemberStanding]:
    """A member's standings on one ladder, or on all of them."""
    setup, now = await context.setup(), context.api.clock.now()
    found = [pair for pair in ladders(setup, now) if program in (None, pair[0].slug)]
    if not found:
        return []
    member = await context.loaders.member.load(Ref(id=member_id))
    if member is None:
        return []
    standings = context.loaders.of(standings_of, None)
    shown = []
    for one, config in found:
        kept = await standings.load((member_id, one.id))
        sums = await _sums(context, setup, one, config, member, now)
        shown.append(_shown(one, config, kept, sums, now))
    return shown


async def _sums(
    context: Context, setup: Setup, program: Program, config: TiersConfig,
    member: MemberView, now: datetime,
) -> Sums:  # fmt: skip
    names = stored_names(program, config)
    rows = await context.loaders.of(counted, NO_ROWS).load_many(
        [(member.id, name) for name in names]
    )
    return sums_of(setup, config, member.enrolled_at, rows, now)


def _shown(
    program: Program, config: TiersConfig, kept: Standing | None, sums: Sums, now: datetime
) -> MemberStanding:
    """As it stands now, also where its end was not booked yet."""
    standing, _ = advance(kept or start(config, sums.enrolled_at or now), sums, now)
    tier, more = config.by_id.get(standing.tier or ""), progress(standing, sums, now)
    return MemberStanding(
        program=program.slug,
        tier=None if tier is None else shown_tier(config, tier),
        since=standing.since,
        until=standing.ends_at or standing.until,
        in_grace=standing.in_grace,
        reason=standing.reason.value,
        next_tier=None if more.next is None else shown_tier(config, more.next),
        to_next=[_path(way) for way in more.reach],
        note=standing.note,
        to_keep=[_path(way) for way in more.keep],
        challenge=_challenge(config, standing, more),
    )


def _challenge(config: TiersConfig, standing: Standing, more: Progress) -> ChallengeUnderWay | None:
    under_way = standing.challenge
    challenge = under_way and config.challenges_by_id.get(under_way.id)
    if under_way is None or not isinstance(challenge, Challenge):
        return None
    return ChallengeUnderWay(
        id=challenge.id,
        label=challenge.label,
        tier=challenge.tier,
        since=under_way.since,
        until=under_way.until,
        paths=[_path(way) for way in more.challenge],
    )


def _path(way: Way) -> QualifyingPath:
    return QualifyingPath(met=way.met, parts=[_part(part) for part in way.parts])


def _part(part: Part) -> QualifyingPart:
    return QualifyingPart(
        metric=part.metric,
        label=part.label,
        needed=Decimal(part.needed),
        have=Decimal(part.have),
        missing=Decimal(part.missing),
        since=part.since,
        before=part.before,
    )
