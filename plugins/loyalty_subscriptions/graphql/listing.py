"""The subscriptions of a program, for who works at its desk: who is past due, who left."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.days import iso
from loyalty.facts import MemberRef as Ref
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.cursors import Position
from loyalty_graphql.members import Member, shown_member
from loyalty_graphql.paging import Connection
from loyalty_subscriptions import reading
from loyalty_subscriptions.graphql.subscriptions import MemberSubscription, shown
from loyalty_subscriptions.reading import Place
from loyalty_subscriptions.subscription import Status
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class ProgramSubscription:
    """A subscription and whose it is."""

    program: strawberry.Private[str]
    member_id: strawberry.Private[UUID]
    key: strawberry.Private[tuple[str, str]]

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:read")
    async def subscription(self, info: RequestInfo) -> MemberSubscription | None:
        """Where it stands now; null where its program is archived."""
        found = await shown(info.context, self.member_id, self.program)
        return next((one for one in found if (one.provider, one.reference) == self.key), None)

    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:read")
    async def member(self, info: RequestInfo) -> Member | None:
        """Whose it is."""
        found = await info.context.loaders.member.load(Ref(id=self.member_id))
        return None if found is None else shown_member(found)


@strawberry.type
class ListQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:read")
    async def subscriptions(
        self,
        info: RequestInfo,
        program: str,
        status: Status | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ProgramSubscription] | None:
        """The subscriptions of a program, the newest first; null where there is no such program.

        :param program: slug of the program
        :param status: only those that were last told to stand there, such as PAST_DUE; what time
            alone changes is told within minutes
        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context, setup = info.context, await info.context.setup()
        page = context.api.paging.page(
            context.tenant_id, f"Query.subscriptions:{program}:{status}",
            first=first, after=after, last=last, before=before,
        )  # fmt: skip
        asked = setup.program(program)
        if asked is None or asked.kind != "subscriptions":
            return None
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            rows = await reading.of_program(
                connection, asked.id, None if status is None else status.value,
                beyond=_place(page.beyond), count=page.fetch, backward=page.backward,
            )  # fmt: skip
        return context.api.paging.connection(
            page, rows, node=lambda row: _node(row, program), position=_position
        )


def _node(row: Mapping[str, Any], program: str) -> ProgramSubscription:
    return ProgramSubscription(
        program=program, member_id=row["member_id"], key=(row["provider"], row["reference"])
    )


def _position(row: Mapping[str, Any]) -> Position:
    name = f"{row['member_id']} {row['provider']} {row['reference']}"
    return iso(row["started_at"]), name


def _place(beyond: Position | None) -> Place | None:
    if beyond is None:
        return None
    member, provider, reference = str(beyond[1]).split(" ", 2)
    return datetime.fromisoformat(str(beyond[0])), UUID(member), provider, reference
