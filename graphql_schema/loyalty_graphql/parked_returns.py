"""Returns that wait for their purchase."""

from datetime import datetime
from enum import StrEnum

import strawberry

from loyalty import parking
from loyalty.parking import ParkedReturn as View
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.ids import node_id
from loyalty_graphql.members import beyond
from loyalty_graphql.paging import Connection
from loyalty_graphql.scalars import Json
from loyalty_tenants.principal import Role


@strawberry.enum
class ReturnState(StrEnum):
    """What became of a return that came before its purchase."""

    PARKED = "PARKED"
    """It waits."""
    APPLIED = "APPLIED"
    """Its purchase came and the return was applied."""
    REFUSED = "REFUSED"
    """Its purchase came and the return did not fit; `reason` says why."""
    ENDED = "ENDED"
    """Its purchase did not come in the tenant's time for parking."""


@strawberry.type
@reached
class ParkedReturn:
    """A return that came before its purchase."""

    id: strawberry.ID
    """Opaque and globally unique."""
    source: str
    """The system it came from."""
    return_id: str
    """Its id there."""
    purchase_external_id: str
    """The purchase it waits for."""
    state: ReturnState
    """What became of it."""
    occurred_at: datetime
    """When the goods came back."""
    parked_at: datetime
    """When it began to wait."""
    ends_at: datetime
    """Until when it waits."""
    settled_at: datetime | None
    """When it was applied, refused or ended."""
    reason: Json | None
    """Why it was refused: code, field and message."""


@strawberry.type
class ReturnQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="purchases:read")
    async def returns(
        self,
        info: RequestInfo,
        state: ReturnState | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ParkedReturn]:
        """Returns that came before their purchase, oldest first.

        :param state: only those of a state
        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context, field = info.context, f"Query.returns:{state}"
        page = context.api.paging.page(
            context.tenant_id, field, first=first, after=after, last=last, before=before
        )
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await parking.page(
                connection,
                None if state is None else state.value,
                beyond=beyond(page.beyond),
                count=page.fetch,
                backward=page.backward,
            )
        return context.api.paging.connection(
            page, found, node=_shown, position=lambda view: (str(view.id),)
        )


def _shown(view: View) -> ParkedReturn:
    return ParkedReturn(
        id=node_id("Return", view.id),
        source=view.source,
        return_id=view.return_id,
        purchase_external_id=view.purchase_external_id,
        state=ReturnState(view.state),
        occurred_at=view.occurred_at,
        parked_at=view.parked_at,
        ends_at=view.ends_at,
        settled_at=view.settled_at,
        reason=None if view.reason is None else Json(dict(view.reason)),
    )
