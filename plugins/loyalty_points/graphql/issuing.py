"""Issuing windows: those that were closed, with what was issued, and those that come."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.scalars import Decimal
from loyalty_points.holders import facts_of
from loyalty_points.windows import LOOK_BACK, OpenWindow, windows
from loyalty_tenants.principal import Role


@strawberry.type
@reached
class IssuingWindow:
    """A day on which points of a program become rewards."""

    program: str
    """Slug of the program."""
    issuing: str
    """Id of the entry of `issuing` in its config."""
    label: str
    """What members read beside the reward."""
    day: str
    """The local day, such as 2026-03-15."""
    opens_at: datetime
    """The begin of it: whatever a member has available then counts."""
    unit: str
    """Code of the unit that is given."""
    closed: bool
    """Whether everybody who had enough points has their reward."""
    members: int | None
    """To how many members something was given; null before it is closed."""
    amount: Decimal | None
    """What was given in all; null before it is closed."""


@strawberry.type
class IssuingQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="programs:read")
    async def issuing_windows(self, info: RequestInfo, program: str) -> list[IssuingWindow]:
        """The issuing windows of a program from a year ago until in a year, in order of their days.

        :param program: slug of the program
        """
        context, now = info.context, info.context.api.clock.now()
        setup = await context.setup()
        found = list(windows(setup, now - LOOK_BACK, now + LOOK_BACK, program))
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            closed = await facts_of(connection, [window.key for window in found])
        return [_shown(window, closed.get(window.key)) for window in found]


def _shown(window: OpenWindow, closed: Mapping[str, Any] | None) -> IssuingWindow:
    return IssuingWindow(
        program=window.program.slug,
        issuing=window.issuing.id,
        label=window.issuing.label,
        day=window.day.isoformat(),
        opens_at=window.at,
        unit=window.issuing.unit,
        closed=closed is not None,
        members=None if closed is None else closed["members"],
        amount=None if closed is None else Decimal(closed["amount"]),
    )
