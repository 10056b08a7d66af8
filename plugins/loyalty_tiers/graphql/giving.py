"""A tier by hand, and challenges."""

from datetime import datetime
from typing import Any

import strawberry

from loyalty.errors import Code, Refused
from loyalty.settlement.request import Recorded
from loyalty_graphql import texts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.inputs import compiled
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_tenants import audit
from loyalty_tenants.principal import Role
from loyalty_tiers.commands import SetTier, StartChallenge
from loyalty_tiers.graphql.standings import MemberStanding, shown_standings
from loyalty_tiers.ladders import ladders

REASON_MAX = 1_000


@compiled
@strawberry.input
class SetTierInput:
    """Who is given which tier."""

    member: MemberRef
    """Who."""
    program: str
    """Slug of the ladder's program."""
    tier: str | None = None
    """Id of the tier; null: what everybody has from the start."""
    reason: str
    """Why; kept with the change and told with it."""
    until: datetime | None = None
    """When it ends; then what was counted decides. Null: no end is set."""
    locked: bool = False
    """Whether nothing that is counted changes it before it ends."""
    idempotency_key: str
    """A new UUID for each change; sent again it gives the first answer."""


@compiled
@strawberry.input
class StartChallengeInput:
    """Who takes which challenge."""

    member: MemberRef
    """Who."""
    program: str
    """Slug of the ladder's program."""
    challenge: str
    """Id of the challenge."""
    reason: str = ""
    """Why, such as the status elsewhere that is matched; kept with the change."""
    idempotency_key: str
    """A new UUID for each; sent again it gives the first answer."""


@strawberry.type
@reached
class StandingPayload:
    """A member's standing after it was changed."""

    standing: MemberStanding | None
    """As it is now; null where nothing was done."""
    replayed: bool
    """Whether this key was used before and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class GivingMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="members:write")
    async def set_tier(self, info: RequestInfo, input: SetTierInput) -> StandingPayload:
        """Give a member a tier by hand: an invitation, a match, an apology, or a step down.

        :param input: who, which tier, why and until when
        """
        return await _payload(info.context, input.program, _set(info.context, input))

    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:write")
    async def start_challenge(
        self, info: RequestInfo, input: StartChallengeInput
    ) -> StandingPayload:
        """Begin a challenge for a member, or a status match that they have to earn.

        :param input: who, and which
        """
        return await _payload(info.context, input.program, _started(info.context, input))


async def _payload(context: Context, program: str, doing: Any) -> StandingPayload:
    done, refused = await attempted(doing)
    if done is None:
        return StandingPayload(standing=None, replayed=False, user_errors=user_errors(refused))
    assert done.member_id is not None, "a command is about a member"
    shown = await shown_standings(context, done.member_id, program)
    return StandingPayload(
        standing=shown[0] if shown else None, replayed=done.replayed, user_errors=[]
    )


async def _set(context: Context, given: SetTierInput) -> Recorded:
    command = SetTier(
        member=member_ref(given.member),
        occurred_at=context.api.clock.now(),
        program=await _named(context, given.program),
        tier=texts.name(given.tier, field="tier") if given.tier else "",
        reason=texts.words(given.reason, field="reason", longest=REASON_MAX),
        until=given.until,
        locked=given.locked,
    )
    done = await context.record(
        context.request(command, texts.idempotency_key(given.idempotency_key))
    )
    if not done.replayed:
        await _audited(context, "tier.set", done, {
            "program": command.program, "tier": command.tier, "reason": command.reason,
            "until": command.until.isoformat() if command.until else None,
            "locked": command.locked,
        })  # fmt: skip
    return done


async def _started(context: Context, given: StartChallengeInput) -> Recorded:
    command = StartChallenge(
        member=member_ref(given.member),
        occurred_at=context.api.clock.now(),
        program=await _named(context, given.program),
        challenge=texts.name(given.challenge, field="challenge"),
        reason=texts.words(given.reason, field="reason", longest=REASON_MAX)
        if given.reason
        else "",
    )
    done = await context.record(
        context.request(command, texts.idempotency_key(given.idempotency_key))
    )
    if not done.replayed:
        await _audited(context, "tier.challenge", done, {
            "program": command.program, "challenge": command.challenge, "reason": command.reason,
        })  # fmt: skip
    return done


async def _audited(context: Context, action: str, done: Recorded, details: dict[str, Any]) -> None:
    async with context.api.database.tenant(context.tenant_id) as connection:
        await audit.write(
            connection, context.actor, action=action, subject=f"member:{done.member_id}",
            details=details, now=context.api.clock.now(),
        )  # fmt: skip


async def _named(context: Context, slug: str) -> str:
    """:raises Refused: PROGRAM_NOT_ACTIVE"""
    found = ladders(await context.setup(), context.api.clock.now())
    if slug not in [program.slug for program, _ in found]:
        raise Refused(Code.PROGRAM_NOT_ACTIVE, "no active ladder has this slug", field="program")
    return slug
