"""New members name the code of whoever brought them."""

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
from loyalty_referrals.code import TYPED_MAX, read
from loyalty_referrals.commands import ClaimCode
from loyalty_referrals.facts import Attributed
from loyalty_referrals.graphql.mine import MemberReferral, shown
from loyalty_referrals.graphql.programs import named
from loyalty_referrals.signals import TEXT_MAX, Kind, hashed
from loyalty_referrals.tables.reading import brought_by
from loyalty_referrals.tables.signals import key_of
from loyalty_tenants.principal import Role


@compiled
@strawberry.input
class ClaimReferralCodeInput:
    """Who names which code, and what is known of them. The latter is kept as keyed hashes only."""

    member: MemberRef
    """The new member."""
    program: str
    """Slug of the program."""
    code: str
    """The code as it was typed or came with the link."""
    idempotency_key: str
    """A new UUID for each claim; sent again it gives the first answer."""
    email: str | None = None
    """The member's e-mail address."""
    device: str | None = None
    """What names the device they use."""
    payment: str | None = None
    """What names their means of payment, such as a card's fingerprint."""
    address: str | None = None
    """Their postal address."""


@strawberry.type
@reached
class ClaimReferralCodePayload:
    """What came of a claim."""

    referral: MemberReferral | None
    """The referral; null where the code is not taken."""
    replayed: bool
    """Whether this key was used before and this is the first answer."""
    user_errors: list[UserError]
    """Why not; empty where it was taken. NOT_FOUND with the field `code` for every code that is
    none, whatever it is instead."""


@strawberry.type
class ClaimMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:write")
    @allow(Role.MEMBER, scope="self:write")
    async def claim_referral_code(
        self, info: RequestInfo, input: ClaimReferralCodeInput
    ) -> ClaimReferralCodePayload:
        """Say who brought a new member, by the code that they were given. The first code counts.

        :param input: who names which code
        """
        context = info.context
        done, refused = await attempted(_claimed(context, input))
        found = None if done is None else await _found(context, done, input.program)
        if done is not None and found is None:
            refused = [Refused(Code.NOT_FOUND, "there is no such code", field="code")]
        return ClaimReferralCodePayload(
            referral=found,
            replayed=done is not None and done.replayed,
            user_errors=user_errors(refused),
        )


async def _claimed(context: Context, given: ClaimReferralCodeInput) -> Recorded:
    program, _ = await named(context, given.program)
    if not 1 <= len(given.code) <= TYPED_MAX:
        raise texts.bad("code", f"must have 1 to {TYPED_MAX} characters")
    said = {Kind(kind): getattr(given, kind) for kind in Kind}
    for kind, text in said.items():
        if text is not None and len(text) > TEXT_MAX:
            raise texts.bad(kind, f"must have at most {TEXT_MAX} characters")
    command = ClaimCode(
        member=await context.own(member_ref(given.member)),
        occurred_at=context.api.clock.now(),
        program=program.slug,
        code=read(given.code),
        client=context.who.client,
        signals=await _hashes(context, said),
    )
    key = texts.idempotency_key(given.idempotency_key)
    return await context.record(context.request(command, key))


async def _hashes(context: Context, said: dict[Kind, str | None]) -> dict[str, str]:
    """Worked out here: what was said is in no fact."""
    if not any(said.values()):
        return {}
    async with context.api.database.tenant(context.tenant_id) as connection:
        key = await key_of(connection)
    return {} if key is None else hashed(key, said)


async def _found(context: Context, done: Recorded, program: str) -> MemberReferral | None:
    """The referral as it is now, if this claim made it: read in any case, so that it takes as long.
    One's own code is answered as one that is none; admins see that it was blocked."""
    assert done.member_id is not None, "a command is about a member"
    made = any(one["kind"] == Attributed.KIND for one in done.answer.get("consequences", ()))
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        rows = (await brought_by(connection, [done.member_id])).get(done.member_id, ())
    setup, now = await context.setup(), context.api.clock.now()
    names = {one.id: one.slug for one in setup.programs if one.slug == program}
    found = [shown(row, names, now) for row in rows if row["program_id"] in names]
    return found[0] if found and made else None
