"""What members see of their referrals: how far each is, and nothing of who the friend is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.plugin import Connection
from loyalty_graphql.access import reached
from loyalty_graphql.context import RequestInfo
from loyalty_graphql.enums import exposed
from loyalty_graphql.ids import node_id
from loyalty_graphql.members import Member
from loyalty_referrals.graphql.programs import slugs
from loyalty_referrals.guards import Verdict
from loyalty_referrals.states import State, state_of
from loyalty_referrals.tables.reading import brought, brought_by

NONE: Sequence[Any] = ()
ReferralState = exposed(
    State,
    name="ReferralState",
    description="How far a referral is.",
    values={
        State.OPEN: "The friend has not qualified yet.",
        State.EXPIRED: "The friend did not qualify in time.",
        State.HELD: "The friend qualified, and somebody has to look at it first.",
        State.PENDING: "Both sides have their rewards, to be used when the return window closes.",
        State.PAID: "The return window closed: the rewards can be used.",
        State.BLOCKED: "It is not paid: the two look like one person.",
        State.REFUSED: "It is not paid: an admin looked at it and refused.",
    },
)


@strawberry.type
@reached
class MemberReferral:
    """A referral as its members see it."""

    id: strawberry.ID
    """Names it, for the tenant's admins."""
    program: str
    """Slug of the program."""
    state: State
    """How far it is."""
    attributed_at: datetime
    """When the friend named the code."""
    open_until: datetime | None
    """Until when the friend may qualify; null: for ever."""
    qualified_at: datetime | None
    """When the friend qualified; null: not yet, or not any more since the order came back."""
    usable_at: datetime | None
    """From when on the rewards can be used: the end of the return window."""
    beyond_limit: bool
    """Whether the referrer had reached the program's limit, and has nothing of this one."""


@strawberry.field
async def referrals(
    root: strawberry.Parent[Member], info: RequestInfo, program: str | None = None
) -> list[MemberReferral]:
    """The friends whom the member brought, the newest 100 of each program, the newest first.

    :param program: slug of a program; default: all of them
    """
    context, now = info.context, info.context.api.clock.now()
    known = await slugs(context)
    names = {key: slug for key, slug in known.items() if program in (None, slug)}
    if not names:
        return []
    rows = await context.loaders.of(_all_brought, NONE).load(root.key)
    return [shown(row, names, now) for row in rows if row["program_id"] in names]


@strawberry.field
async def referred_by(root: strawberry.Parent[Member], info: RequestInfo) -> list[MemberReferral]:
    """The member's referrals as a friend, one of each program at most. Who brought them is not
    said."""
    context, now = info.context, info.context.api.clock.now()
    rows = await context.loaders.of(brought_by, NONE).load(root.key)
    names = await slugs(context)
    return [shown(row, names, now) for row in rows if row["program_id"] in names]


async def _all_brought(
    connection: Connection, members: Sequence[UUID]
) -> Mapping[UUID, Sequence[Any]]:
    """By member, over all referral programs of the tenant."""
    programs = await connection.fetch(
        "select id from loyalty.program where kind = 'referrals' order by id"
    )
    pairs = [(member, program["id"]) for member in members for program in programs]
    found: dict[UUID, list[Any]] = {}
    for (member, _), rows in (await brought(connection, pairs)).items():
        found.setdefault(member, []).extend(rows)
    for mine in found.values():
        mine.sort(key=lambda row: (row["attributed_at"], row["id"]), reverse=True)
    return found


def shown(row: Any, names: Mapping[Any, str], now: datetime) -> MemberReferral:
    return MemberReferral(
        id=node_id("Referral", row["id"]),
        program=names[row["program_id"]],
        state=state(row, now),
        attributed_at=row["attributed_at"],
        open_until=row["open_until"],
        qualified_at=row["qualified_at"],
        usable_at=row["pays_at"],
        beyond_limit=row.get("cut") is not None,
    )


def state(row: Any, now: datetime) -> State:
    return state_of(Verdict(row["verdict"]), row["open_until"], row["pays_at"], now)
