"""Activities: what members do besides buying."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Protocol
from uuid import UUID

import strawberry

from loyalty import journal
from loyalty.facts import ActivityRecorded, activity_key
from loyalty.facts import MemberRef as Ref
from loyalty.journal import JournalFact
from loyalty.settlement.request import Recorded
from loyalty.setup import Setup
from loyalty_graphql import texts
from loyalty_graphql.access import allow, money, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.decisions import Decision, DecisionInputs, shown_inputs
from loyalty_graphql.explanations import decisions_of
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id
from loyalty_graphql.inputs import compiled
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.nodes import Node
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.purchase_input import attributes
from loyalty_graphql.purchases import Earned, UnitVersion, shown_earned, shown_versions
from loyalty_graphql.scalars import Json, parse_instant
from loyalty_tenants.principal import Role

if TYPE_CHECKING:
    from loyalty_graphql.members import Member


@compiled
@strawberry.input
class RecordActivityInput:
    """Something that a member did."""

    member: MemberRef
    """Who."""
    source: str
    """The system it comes from; with `externalId` it makes the activity's key for ever."""
    external_id: str
    """Its id in that system."""
    type: str
    """What it was, such as `check_in`."""
    occurred_at: datetime
    """When."""
    attributes: Json | None = None
    """Whatever rules may look at: an object."""


@strawberry.type
@reached
class Activity(Node):
    """An activity as it was recorded."""

    source: str
    """The system it came from."""
    external_id: str
    """Its id there."""
    type: str
    """What it was."""
    occurred_at: datetime
    """When."""
    attributes: Json
    """What was sent with it."""
    earned: list[Earned]
    """What the member was given for it, each for its own reason."""
    versions: list[UnitVersion]
    """The balances that it moved."""
    member_id: strawberry.Private[UUID]
    key: strawberry.Private[UUID]

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:read")
    @allow(Role.MEMBER, scope="self:read")
    async def member(
        self, info: RequestInfo
    ) -> Annotated["Member", strawberry.lazy("loyalty_graphql.members")] | None:
        """Whose."""
        from loyalty_graphql.members import shown_member

        found = await info.context.loaders.member.load(Ref(id=self.member_id))
        return None if found is None else shown_member(found)

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="decisions:read")
    async def decisions(self, info: RequestInfo) -> list[Decision]:
        """Why: every rule that fired, with what it wanted, what it granted and what cut it; then
        every other rule that looks at activities, with what kept it from firing."""
        return await decisions_of(info.context, self.key)

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="decisions:read")
    async def decision_inputs(self, info: RequestInfo) -> list[DecisionInputs]:
        """What its rules were judged by: the traits and counters that they read, by program. A
        program whose rules read none is not listed."""
        return shown_inputs(await info.context.loaders.decision.load(self.key))


@strawberry.type
class ActivityQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="activities:read")
    @allow(Role.MEMBER, scope="self:read")
    async def activity(self, info: RequestInfo, source: str, external_id: str) -> Activity | None:
        """An activity by the id of the system it came from; null where there is none.

        :param source: the system it came from
        :param external_id: its id there
        """
        context = info.context
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            fact = await journal.by_key(connection, activity_key(source, external_id))
        return await visible_activity(info, fact)


async def visible_activity(info: RequestInfo, fact: JournalFact | None) -> Activity | None:
    """The activity, if there is one and the caller may see it."""
    context = info.context
    if fact is None or fact.kind != "ActivityRecorded" or fact.member_id is None:
        return None
    if context.is_member:
        own = await context.loaders.member.load(Ref(external_id=context.who.subject))
        if own is None or own.id != fact.member_id:
            return None
    return shown_activity(
        fact.id, fact.member_id, fact.payload, fact.answer, await context.setup()
    )  # fmt: skip


def shown_activity(
    ident: UUID,
    member_id: UUID,
    payload: Mapping[str, Any],
    answer: Mapping[str, Any],
    setup: Setup,
) -> Activity:
    """An activity from its payload and its first answer."""
    return Activity(
        id=node_id("Activity", ident),
        source=payload["source"],
        external_id=payload["external_id"],
        type=payload["type"],
        occurred_at=parse_instant(payload["occurred_at"]),
        attributes=Json(payload["attributes"]),
        earned=shown_earned(answer, setup),
        versions=shown_versions(answer),
        member_id=member_id,
        key=ident,
    )


@strawberry.type
@reached
class RecordActivityPayload:
    """An activity after it was recorded."""

    activity: Activity | None
    """The activity; null where nothing was done."""

    earned: list[Earned]
    """What the member was given for it."""
    versions: list[UnitVersion]
    """The balances that it moved."""
    replayed: bool
    """Whether it was recorded before and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.type
class ActivityMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.PARTNER, Role.OPERATOR, scope="activities:write")
    @money
    async def record_activity(
        self, info: RequestInfo, input: RecordActivityInput
    ) -> RecordActivityPayload:
        """Record an activity once; the tenant's programs react to it.

        :param input: who did what
        """
        done, refused = await attempted(_recorded(info.context, input))
        if done is None:
            return RecordActivityPayload(
                activity=None, earned=[], versions=[], replayed=False,
                user_errors=user_errors(refused),
            )  # fmt: skip
        recorded, payload = done
        assert recorded.member_id is not None
        activity = shown_activity(
            recorded.fact_id, recorded.member_id, payload, recorded.answer,
            await info.context.setup(),
        )  # fmt: skip
        return RecordActivityPayload(
            activity=activity,
            earned=activity.earned,
            versions=activity.versions,
            replayed=recorded.replayed,
            user_errors=[],
        )


async def _recorded(
    context: Context, given: RecordActivityInput
) -> tuple[Recorded, dict[str, Any]]:
    fact = activity_fact(given, member_ref(given.member))
    recorded = await context.record(context.request(fact))
    return recorded, context.api.plugins.codec.dump(fact)


class ActivityGiven(Protocol):
    @property
    def source(self) -> str: ...
    @property
    def external_id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def attributes(self) -> Any: ...


def activity_fact(given: ActivityGiven, member: Ref) -> ActivityRecorded:
    """The fact of an activity.

    :raises Refused: with the path of the value at fault
    """
    return ActivityRecorded(
        member=member,
        occurred_at=given.occurred_at,
        source=texts.name(given.source, field="source", longest=64),
        external_id=texts.name(given.external_id, field="externalId"),
        type=texts.name(given.type, field="type", longest=64),
        attributes=attributes(given.attributes),
    )
