"""Previews: what a purchase or an activity would earn, and why, without recording it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import strawberry

from loyalty.errors import Refused
from loyalty.explaining import judgements
from loyalty.facts import Fact
from loyalty.facts import MemberRef as Ref
from loyalty.ids import new_id
from loyalty.settlement.request import GUEST, Recorded
from loyalty_graphql.access import allow, reached
from loyalty_graphql.activities import activity_fact
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.decisions import Decision, shown_decisions
from loyalty_graphql.explanations import decisions_of
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.input_paths import in_input_words
from loyalty_graphql.inputs import compiled
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.purchase_input import purchase_fact
from loyalty_graphql.purchase_mutations import LineInput, TenderInput
from loyalty_graphql.purchases import Earned, TakenBack, shown_earned, shown_taken_back
from loyalty_graphql.scalars import Decimal, Json
from loyalty_tenants.principal import Role

PREVIEW = "preview"


@compiled
@strawberry.input
class PreviewPurchaseInput:
    """A basket that might be paid; what makes a recorded purchase's key may be left out."""

    currency: str
    """ISO 4217, one of the tenant's."""
    total: Decimal
    """What would be paid."""
    member: MemberRef | None = None
    """Who buys; none: a guest, who has nothing yet."""
    source: str = PREVIEW
    """The system it would come from."""
    external_id: str | None = None
    """Its id there. Of a purchase that is recorded, the first answer is shown."""
    revision: int = 1
    """Higher to see what a correction of a recorded purchase would come to."""
    occurred_at: datetime | None = None
    """When; none: now. Beyond the tenant's window for late purchases, and in the future, only
    admins may ask."""
    tax_included: bool = True
    """Whether the amounts contain the tax."""
    lines: list[LineInput] = strawberry.field(default_factory=list)
    """At most 500; none: one line of the total."""
    tenders: list[TenderInput] = strawberry.field(default_factory=list)
    """At most 20, which sum to the total; none: one of kind OTHER."""
    attributes: Json | None = None
    """Whatever else rules may look at: an object."""


@compiled
@strawberry.input
class PreviewActivityInput:
    """Something that a member might do."""

    type: str
    """What it is, such as `check_in`."""
    member: MemberRef | None = None
    """Who; none: a guest, who has nothing yet."""
    source: str = PREVIEW
    """The system it would come from."""
    external_id: str | None = None
    """Its id there. Of an activity that is recorded, the first answer is shown."""
    occurred_at: datetime | None = None
    """When; none: now. Beyond the tenant's window for late facts, and in the future, only admins
    may ask."""
    attributes: Json | None = None
    """Whatever rules may look at: an object."""


@strawberry.type
@reached
class ByChance:
    """Something that luck would decide. Previews draw none, or people would fish for prizes."""

    program: str
    """Slug of the program."""
    label: str
    """What is drawn for."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was previewed, and its outcome."""

    fact: Fact
    recorded: Recorded


@strawberry.type
@reached
class PurchasePreview:
    """What a purchase would earn if it were recorded."""

    earned: list[Earned]
    """What the member would be given. Draws of luck are left out."""
    taken_back: list[TakenBack]
    """Of a correction: what it would take back."""
    by_chance: list[ByChance]
    """What luck would decide on top."""
    user_errors: list[UserError]
    """Why it would be refused; empty where it would not."""
    seen: strawberry.Private[_Seen | None]

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="decisions:read")
    async def decisions(self, info: RequestInfo) -> list[Decision]:
        """Why: every rule that would fire, then every other one, with what would keep it from
        firing; BY_CHANCE where that is luck."""
        return await _decisions(info.context, self.seen)


@strawberry.type
@reached
class ActivityPreview:
    """What an activity would earn if it were recorded."""

    earned: list[Earned]
    """What the member would be given. Draws of luck are left out."""
    by_chance: list[ByChance]
    """What luck would decide on top."""
    user_errors: list[UserError]
    """Why it would be refused; empty where it would not."""
    seen: strawberry.Private[_Seen | None]

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="decisions:read")
    async def decisions(self, info: RequestInfo) -> list[Decision]:
        """Why: every rule that would fire, then every other one, with what would keep it from
        firing; BY_CHANCE where that is luck."""
        return await _decisions(info.context, self.seen)


@strawberry.type
class PreviewQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="purchases:read")
    @allow(Role.MEMBER, scope="self:read")
    async def preview_purchase(
        self, info: RequestInfo, input: PreviewPurchaseInput
    ) -> PurchasePreview:
        """What a purchase would earn, for a member or a guest. Nothing is recorded, no key is used,
        and nobody who records meanwhile waits for it.

        :param input: the basket
        """
        seen, refused = await attempted(_purchase(info.context, input))
        setup, answer = await info.context.setup(), _answer(seen)
        return PurchasePreview(
            earned=shown_earned(answer, setup),
            taken_back=shown_taken_back(answer, setup),
            by_chance=_chances(seen),
            user_errors=user_errors(refused),
            seen=seen,
        )

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="activities:read")
    @allow(Role.MEMBER, scope="self:read")
    async def preview_activity(
        self, info: RequestInfo, input: PreviewActivityInput
    ) -> ActivityPreview:
        """What an activity would earn, for a member or a guest. Nothing is recorded, and no key is
        used.

        :param input: who does what
        """
        seen, refused = await attempted(_activity(info.context, input))
        return ActivityPreview(
            earned=shown_earned(_answer(seen), await info.context.setup()),
            by_chance=_chances(seen),
            user_errors=user_errors(refused),
            seen=seen,
        )


async def _purchase(context: Context, given: PreviewPurchaseInput) -> _Seen:
    given.occurred_at = given.occurred_at or context.api.clock.now()
    given.external_id = str(new_id()) if given.external_id is None else given.external_id
    member = await _member(context, given.member)
    return await _seen(context, purchase_fact(given, member, await context.setup()))  # type: ignore[arg-type]


async def _activity(context: Context, given: PreviewActivityInput) -> _Seen:
    given.occurred_at = given.occurred_at or context.api.clock.now()
    given.external_id = str(new_id()) if given.external_id is None else given.external_id
    member = await _member(context, given.member)
    return await _seen(context, activity_fact(given, member))  # type: ignore[arg-type]


async def _member(context: Context, given: MemberRef | None) -> Ref:
    return GUEST if given is None else await context.own(member_ref(given))


async def _seen(context: Context, fact: Fact) -> _Seen:
    any_time = context.who.role in (Role.ADMIN, Role.OPERATOR)
    request = context.request(fact, any_time=any_time)
    outcome = await context.api.recorder.preview(context.tenant_id, request)
    if isinstance(outcome, Refused):
        raise in_input_words(outcome)
    return _Seen(fact, outcome)


def _answer(seen: _Seen | None) -> Mapping[str, Any]:
    return {} if seen is None else seen.recorded.answer


def _chances(seen: _Seen | None) -> list[ByChance]:
    body = (seen.recorded.body if seen else None) or {}
    return [
        ByChance(program=row["program"], label=row["label"]) for row in body.get("byChance", ())
    ]


async def _decisions(context: Context, seen: _Seen | None) -> list[Decision]:
    if seen is None:
        return []
    recorded, setup = seen.recorded, await context.setup()
    if recorded.body is None:  # it is recorded already
        return await decisions_of(context, recorded.fact_id)
    member = None
    if recorded.member_id is not None and recorded.member_id != GUEST.id:
        member = await context.loaders.member.load(Ref(id=recorded.member_id))
    told = judgements(
        context.api.plugins, setup, seen.fact, recorded.body, key=seen.fact.natural_key,
        member=member, preview=True,
    )  # fmt: skip
    return shown_decisions(recorded.body, setup, tuple(told))
