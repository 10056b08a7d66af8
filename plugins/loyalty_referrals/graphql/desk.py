"""The desk at which admins look at referrals, release and refuse."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.days import iso
from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef as Ref
from loyalty.settlement.request import Recorded
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.enums import exposed
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id, uuid_of
from loyalty_graphql.inputs import compiled
from loyalty_graphql.members import Member, shown_member
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.paging import Connection
from loyalty_referrals.commands import ReviewReferral
from loyalty_referrals.graphql.mine import state
from loyalty_referrals.graphql.programs import known, slugs
from loyalty_referrals.guards import Reason, Verdict
from loyalty_referrals.states import State
from loyalty_referrals.tables import reading
from loyalty_tenants import audit
from loyalty_tenants.principal import Role

REASON_MAX = 500
ReferralVerdict = exposed(
    Verdict,
    name="ReferralVerdict",
    description="What stands about a referral.",
    values={
        Verdict.CLEAR: "Guards noticed nothing.",
        Verdict.REVIEW: "Guards noticed something: an admin releases or refuses it.",
        Verdict.BLOCKED: "Guards blocked it; an admin may release it all the same.",
        Verdict.RELEASED: "An admin released it.",
        Verdict.REFUSED: "An admin refused it.",
    },
)
ReferralReason = exposed(
    Reason,
    name="ReferralReason",
    description="What guards noticed.",
    values={
        Reason.SAME_MEMBER: "The member named their own code.",
        Reason.SAME_EMAIL: "The same e-mail address as the referrer or another of their friends.",
        Reason.SAME_DEVICE: "The same device as the referrer or another of their friends.",
        Reason.SAME_PAYMENT: "The same means of payment as the referrer or another friend.",
        Reason.SAME_ADDRESS: "The same address as the referrer or another of their friends.",
        Reason.VELOCITY: "Too many friends of the referrer in a short time.",
        Reason.RING: "Members refer each other in a circle.",
    },
)


@strawberry.type
@reached
class Referral:
    """A referral as admins see it."""

    id: strawberry.ID
    """Names it in `reviewReferral`."""
    program: str
    """Slug of the program."""
    state: State
    """How far it is."""
    verdict: Verdict
    """What stands about it."""
    reasons: list[Reason]
    """What guards noticed."""
    code: str
    """The code that the friend named, as it is kept."""
    via: str
    """How it was named: enrolment, first_order or claim."""
    attributed_at: datetime
    """When."""
    open_until: datetime | None
    """Until when the friend may qualify; null: for ever."""
    qualified_at: datetime | None
    """When the friend qualified; null: not yet, or not any more."""
    usable_at: datetime | None
    """From when on the rewards can be used."""
    decided_by: str | None
    """Which admin released or refused it."""
    decided_at: datetime | None
    """When."""
    decision_reason: str | None
    """Why; null as well where it went with a member who was erased."""
    friend_key: strawberry.Private[UUID]
    referrer_key: strawberry.Private[UUID]

    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="members:read")
    async def friend(self, info: RequestInfo) -> Member | None:
        """The friend."""
        found = await info.context.loaders.member.load(Ref(id=self.friend_key))
        return None if found is None else shown_member(found)

    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="members:read")
    async def referrer(self, info: RequestInfo) -> Member | None:
        """Whoever brought them."""
        found = await info.context.loaders.member.load(Ref(id=self.referrer_key))
        return None if found is None else shown_member(found)


@compiled
@strawberry.input
class ReviewReferralInput:
    """An admin's word."""

    referral: strawberry.ID
    """Which referral: one that is held or blocked."""
    release: bool
    """true: both sides have what they would have had. false: neither ever has."""
    reason: str
    """Why; kept with it and in the audit trail."""
    idempotency_key: str
    """A new UUID for each decision; sent again it gives the first answer."""


@strawberry.type
@reached
class ReviewReferralPayload:
    """A decided referral."""

    referral: Referral | None
    """As it is now; null where nothing was done."""
    replayed: bool
    """Whether this key was used before and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class DeskQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="members:read")
    async def referrals(
        self,
        info: RequestInfo,
        program: str,
        verdict: Verdict | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[Referral]:
        """The referrals of a program, the newest first.

        :param program: slug of the program
        :param verdict: only those about which this stands
        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context = info.context
        page = context.api.paging.page(
            context.tenant_id, f"Query.referrals:{program}:{verdict}", first=first, after=after,
            last=last, before=before,
        )  # fmt: skip
        beyond = None
        if page.beyond is not None:
            beyond = datetime.fromisoformat(str(page.beyond[0])), UUID(str(page.beyond[1]))
        rows: Sequence[Any] = ()
        of = await known(context, program)
        if of is not None:
            tenant = context.api.database.tenant(context.tenant_id, read_only=True)
            async with tenant as connection:
                rows = await reading.page(
                    connection, of.id, None if verdict is None else verdict.value, beyond=beyond,
                    count=page.fetch, backward=page.backward,
                )  # fmt: skip
        names, now = await slugs(context), context.api.clock.now()
        return context.api.paging.connection(
            page, rows, node=lambda row: _shown(row, names, now),
            position=lambda row: (iso(row["attributed_at"]), str(row["id"])),
        )  # fmt: skip


@strawberry.type
class DeskMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="members:write")
    @money
    async def review_referral(
        self, info: RequestInfo, input: ReviewReferralInput
    ) -> ReviewReferralPayload:
        """Release a referral that is held or blocked, or refuse it; once.

        :param input: which, and why
        """
        context = info.context
        done, refused = await attempted(_reviewed(context, input))
        if done is None:
            return ReviewReferralPayload(
                referral=None, replayed=False, user_errors=user_errors(refused)
            )
        row = await _row(context, input.referral)
        shown = _shown(row, await slugs(context), context.api.clock.now())
        return ReviewReferralPayload(referral=shown, replayed=done.replayed, user_errors=[])


async def _reviewed(context: Context, given: ReviewReferralInput) -> Recorded:
    names, row = await slugs(context), await _row(context, given.referral)
    slug = names[row["program_id"]]
    reason = texts.words(given.reason, field="reason", longest=REASON_MAX)
    command = ReviewReferral(
        member=Ref(id=row["friend_id"]), occurred_at=context.api.clock.now(), program=slug,
        release=given.release, reason=reason, by=context.actor_name,
    )  # fmt: skip
    key = texts.idempotency_key(given.idempotency_key)
    done = await context.record(context.request(command, key))
    if not done.replayed:
        async with context.api.database.tenant(context.tenant_id) as connection:
            await audit.write(
                connection,
                context.actor,
                action="referral.release" if given.release else "referral.refuse",
                subject=f"member:{row['friend_id']}",  # so that it goes with them
                details={"referral": str(row["id"]), "reason": reason},
                now=command.occurred_at,
            )
    return done


async def _row(context: Context, given: strawberry.ID) -> Any:
    """:raises Refused: NOT_FOUND"""
    ident = uuid_of(given, "Referral", field="referral")
    async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
        row = await reading.by_id(connection, ident)
    if row is None:
        raise Refused(Code.NOT_FOUND, "there is no such referral", field="referral")
    return row


def _shown(row: Any, names: dict[UUID, str], now: datetime) -> Referral:
    return Referral(
        id=node_id("Referral", row["id"]),
        program=names.get(row["program_id"], ""),
        state=state(row, now),
        verdict=Verdict(row["verdict"]),
        reasons=[Reason(one) for one in row["reasons"]],
        code=row["code"],
        via=row["via"],
        attributed_at=row["attributed_at"],
        open_until=row["open_until"],
        qualified_at=row["qualified_at"],
        usable_at=row["pays_at"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        decision_reason=row["decided_why"],
        friend_key=row["friend_id"],
        referrer_key=row["referrer_id"],
    )
