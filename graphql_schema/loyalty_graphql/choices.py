"""What members choose for themselves, and when they may choose anew."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.counters import window_of
from loyalty.errors import Code, Refused
from loyalty.plugin import Connection
from loyalty.settlement.request import Recorded
from loyalty.setup import Program, Setup, active_programs
from loyalty_earning.choices import TRAIT, Choice, next_change
from loyalty_earning.commands import Choose
from loyalty_earning.config import EarningConfig
from loyalty_graphql import texts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.inputs import compiled
from loyalty_graphql.member_ref import MemberRef, member_ref
from loyalty_graphql.members import Member
from loyalty_graphql.outcomes import attempted
from loyalty_tenants.principal import Role

NONE: Sequence[Any] = ()
_HISTORY = f"""
select t.member_id, t.name, t.value, t.since
  from unnest($1::uuid[]) m (id) cross join lateral (
    select t.* from loyalty.trait t
     where t.tenant_id = (select loyalty.tenant()) and t.member_id = m.id
       and t.name like '%.{TRAIT}' offset 0) t
 order by t.since, t.recorded_at
"""


@strawberry.type
@reached
class ChoiceOption:
    """Something that can be picked."""

    id: str
    """Names it in `choose`."""
    label: str
    """What members read."""
    categories: list[str]
    """The categories that it stands for, where it stands for some."""


@strawberry.type
@reached
class MemberChoice:
    """A choice that a program offers, and what the member has of it."""

    program: str
    """Slug of the program."""
    id: str
    """Names it in `choose`."""
    label: str
    """What members read."""
    picks: int
    """How many options a member has at once."""
    options: list[ChoiceOption]
    """What can be picked."""
    current: list[str]
    """Ids of the options that stand: what the member picked, else the program's default."""
    since: datetime | None
    """Since when the member has them; null: they picked nothing yet."""
    may_change: bool
    """Whether `choose` may pick other options now."""
    next_change_at: datetime | None
    """Where it may not: from when on it may again; null: never."""


@compiled
@strawberry.input
class ChooseInput:
    """Who picks what."""

    member: MemberRef
    """Who."""
    program: str
    """Slug of the program."""
    choice: str
    """Id of the choice."""
    options: list[str]
    """Ids of the options: all that the member has of the choice from now on."""
    idempotency_key: str
    """A new UUID for each choice; sent again it gives the first answer."""


@strawberry.type
@reached
class ChoosePayload:
    """A choice after it was made."""

    choice: MemberChoice | None
    """As it is now; null where nothing was done."""
    replayed: bool
    """Whether this key was used before and this is the first answer."""
    user_errors: list[UserError]
    """Why nothing was done; empty where it was."""


@strawberry.field
async def choices(
    root: strawberry.Parent[Member], info: RequestInfo, program: str | None = None
) -> list[MemberChoice]:
    """What the member may choose in the tenant's programs, and what they have.

    :param program: slug of a program; default: all of them
    """
    return await _shown(info.context, root.key, program)


@strawberry.type
class ChoiceMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.SERVICE, Role.OPERATOR, scope="members:write")
    @allow(Role.MEMBER, scope="self:write")
    async def choose(self, info: RequestInfo, input: ChooseInput) -> ChoosePayload:
        """Pick options of a choice. They count for what happens from now on; what happened before
        keeps what was picked then.

        :param input: who picks what
        """
        context = info.context
        done, refused = await attempted(_chosen(context, input))
        if done is None:
            return ChoosePayload(choice=None, replayed=False, user_errors=user_errors(refused))
        assert done.member_id is not None, "a command is about a member"
        shown = await _shown(context, done.member_id, input.program)
        return ChoosePayload(
            choice=next((one for one in shown if one.id == input.choice), None),
            replayed=done.replayed,
            user_errors=[],
        )


async def _chosen(context: Context, given: ChooseInput) -> Recorded:
    now = context.api.clock.now()
    made = _made_in(await context.setup(), given.program, now)
    command = made(
        member=await context.own(member_ref(given.member)),
        occurred_at=now,
        program=given.program,
        choice=texts.name(given.choice, field="choice"),
        options=tuple(
            texts.name(option, field=f"options.{at}") for at, option in enumerate(given.options)
        ),
    )
    key = texts.idempotency_key(given.idempotency_key)
    return await context.record(context.request(command, key))


def _made_in(setup: Setup, slug: str, at: datetime) -> type[Choose]:
    """The command by which a choice is made in this program.

    :raises Refused: PROGRAM_NOT_ACTIVE
    """
    for program, config in _offered(setup, at):
        if program.slug == slug and config.chosen_by is not None:
            return config.chosen_by
    raise Refused(
        Code.PROGRAM_NOT_ACTIVE, "no active program with choices has this slug", field="program"
    )


def _offered(setup: Setup, at: datetime) -> Iterator[tuple[Program, EarningConfig]]:
    """The programs in force in which members can earn, in their order."""
    for program, version in active_programs(setup, at):
        if isinstance(version.config, EarningConfig):
            yield program, version.config


async def _shown(context: Context, member_id: UUID, only: str | None) -> list[MemberChoice]:
    setup, now = await context.setup(), context.api.clock.now()
    mine = [
        (program.slug, choice)
        for program, config in _offered(setup, now)
        for choice in config.choices
        if only in (None, program.slug)
    ]
    if not mine:
        return []
    rows = await context.loaders.of(_history, NONE).load(member_id)
    return [
        _choice(
            slug, choice, [row for row in rows if row["name"] == f"{slug}.{TRAIT}"], now, setup.zone
        )
        for slug, choice in mine
    ]


def _choice(
    slug: str, choice: Choice, rows: Sequence[Mapping[str, Any]], now: datetime, zone: Any
) -> MemberChoice:
    picks = _picks(choice, [row for row in rows if row["since"] <= now])
    counter, changed = choice.counter(), 0
    if counter is not None:
        since, before = window_of(counter, now, zone)
        changed = sum(1 for at, _ in picks[1:] if since <= at < before)
    again = next_change(choice, changed, now, zone) if picks else now
    current = picks[-1][1] if picks else choice.default
    return MemberChoice(
        program=slug,
        id=choice.id,
        label=choice.label,
        picks=choice.picks,
        options=[
            ChoiceOption(id=one.id, label=one.label, categories=list(one.categories))
            for one in choice.options
        ],
        current=list(current),
        since=picks[-1][0] if picks else None,
        may_change=again == now,
        next_change_at=None if again == now else again,
    )


def _picks(
    choice: Choice, rows: Sequence[Mapping[str, Any]]
) -> list[tuple[datetime, tuple[str, ...]]]:
    """Each time that other options were picked: the first of them is no change."""
    found: list[tuple[datetime, tuple[str, ...]]] = []
    for row in rows:
        if choice.id in row["value"]:
            picked = choice.picked(row["value"])
            if not found or set(picked) != set(found[-1][1]):
                found.append((row["since"], picked))
    return found


async def _history(connection: Connection, members: Sequence[UUID]) -> Mapping[UUID, Sequence[Any]]:
    """All that these members ever chose, oldest first."""
    found: dict[UUID, list[Any]] = {}
    for row in await connection.fetch(_HISTORY, list(members)):
        found.setdefault(row["member_id"], []).append(row)
    return found
