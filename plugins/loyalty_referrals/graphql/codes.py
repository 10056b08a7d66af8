"""Codes and links that members hand on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.errors import Code, Refused
from loyalty.settlement.request import Recorded
from loyalty_graphql import texts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.inputs import compiled
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.members import Member
from loyalty_graphql.outcomes import attempted
from loyalty_referrals.code import shown, vanity_fault
from loyalty_referrals.commands import ShareCode
from loyalty_referrals.config import ReferralsConfig, Vanity
from loyalty_referrals.graphql.programs import named, offered
from loyalty_referrals.tables.codes import codes_of
from loyalty_tenants.principal import Role

NONE: Sequence[Any] = ()


@strawberry.type
@reached
class ReferralCode:
    """A code that a member hands on to friends."""

    program: str
    """Slug of the program."""
    code: str
    """As it is printed. Case, blanks and dashes make no difference, nor does O for 0 or I for 1."""
    link: str | None
    """The address to share; null where the program has none."""
    vanity: bool
    """Whether it was wished for."""
    shared_at: datetime | None
    """When the member first handed on a code of this program."""
    shares: int
    """How often the member handed on a code of this program."""


@compiled
@strawberry.input
class ShareReferralCodeInput:
    """Whose code is handed on."""

    member: MemberRef
    """Whose."""
    program: str
    """Slug of the program."""
    idempotency_key: str
    """A new UUID for each time; sent again it gives the first answer."""
    vanity: str | None = None
    """A code that is wished for besides, of 5 to 20 letters and digits; the program says who may
    ask for one."""


@strawberry.type
@reached
class ShareReferralCodePayload:
    """The member's codes."""

    codes: list[ReferralCode]
    """What they wished for first; empty where nothing was done."""
    replayed: bool
    """Whether this key was used before and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.field
async def referral_codes(root: strawberry.Parent[Member], info: RequestInfo) -> list[ReferralCode]:
    """The codes that the member hands on, by program; what they wished for first."""
    return await _codes(info.context, root.key)


@strawberry.type
class CodeMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:write")
    @allow(Role.MEMBER, scope="self:write")
    async def share_referral_code(
        self, info: RequestInfo, input: ShareReferralCodeInput
    ) -> ShareReferralCodePayload:
        """Hand on a member's code: it is counted, and made where there is none yet.

        :param input: whose
        """
        context = info.context
        done, refused = await attempted(_shared(context, input))
        if done is None:
            return ShareReferralCodePayload(
                codes=[], replayed=False, user_errors=user_errors(refused)
            )
        assert done.member_id is not None, "a command is about a member"
        codes = await _codes(context, done.member_id)
        return ShareReferralCodePayload(
            codes=[one for one in codes if one.program == input.program],
            replayed=done.replayed,
            user_errors=[],
        )


async def _shared(context: Context, given: ShareReferralCodeInput) -> Recorded:
    program, config = await named(context, given.program)
    if given.vanity is not None:
        _may_wish(context, config)
        if (fault := vanity_fault(given.vanity)) is not None:
            raise texts.bad("vanity", fault)
    command = ShareCode(
        member=await context.own(member_ref(given.member)),
        occurred_at=context.api.clock.now(),
        program=program.slug,
        vanity=given.vanity,
    )
    key = texts.idempotency_key(given.idempotency_key)
    return await context.record(context.request(command, key))


def _may_wish(context: Context, config: ReferralsConfig) -> None:
    allowed = config.codes.vanity
    if allowed is Vanity.NOBODY or (allowed is Vanity.STAFF and context.is_member):
        raise Refused(
            Code.BAD_USER_INPUT,
            "the program gives nobody a code of their choice"
            if allowed is Vanity.NOBODY
            else "only the shop gives codes of somebody's choice",
            field="vanity",
        )


async def _codes(context: Context, member_id: UUID) -> list[ReferralCode]:
    programs = {program.id: (program, config) for program, config in await offered(context)}
    rows = await context.loaders.of(codes_of, NONE).load(member_id)
    mine = [row for row in rows if row["program_id"] in programs]
    order = {program: at for at, program in enumerate(programs)}
    mine.sort(key=lambda row: order[row["program_id"]])
    return [_shown(row, *programs[row["program_id"]]) for row in mine]


def _shown(row: Any, program: Any, config: ReferralsConfig) -> ReferralCode:
    code, link = row["wished"] or shown(row["code"]), config.codes.link
    return ReferralCode(
        program=program.slug,
        code=code,
        link=None if link is None else link.replace("{code}", code),
        vanity=row["vanity"],
        shared_at=row["first_at"],
        shares=row["times"] or 0,
    )
