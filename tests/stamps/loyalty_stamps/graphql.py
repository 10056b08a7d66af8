"""What the punch card adds to the schema."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry

from loyalty.plugin import GraphQLPart
from loyalty.setup import Program, ProgramVersion, active_programs
from loyalty.units import format_minor
from loyalty_graphql.access import allow, reached
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.members import Member
from loyalty_stamps.tables import cards_of
from loyalty_tenants.principal import Role

NO_CARDS: Sequence[Any] = ()


@strawberry.type
@reached
class StampCard:
    """A member's open card of one program."""

    program: str
    """Slug of the program."""
    stamps: int
    """Stamps on it now."""
    needed: int
    """Stamps that fill it."""
    ends_at: datetime | None
    """When it is thrown away; null: never."""


@strawberry.type
@reached
class StampProgram:
    """A punch card that the tenant offers."""

    slug: str
    """Slug of the program."""
    needed: int
    """Stamps that fill a card."""
    reward: str
    """What a full card gives, as a decimal text."""
    unit: str
    """Code of the unit it is paid in."""


@strawberry.field
async def stamp_cards(root: strawberry.Parent[Member], info: RequestInfo) -> list[StampCard]:
    """The member's open punch cards, in the order of their programs."""
    rows = await info.context.loaders.of(cards_of, NO_CARDS).load(root.key)
    by_program = {row["program_id"]: row for row in rows}
    now = info.context.api.clock.now()
    return [
        _shown(program, version, by_program[program.id])
        for program, version in await _programs(info.context)
        if program.id in by_program and _open(by_program[program.id], now)
    ]


@strawberry.type
class StampQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.SERVICE, Role.MEMBER, Role.OPERATOR, scope="programs:read")
    async def stamp_programs(self, info: RequestInfo) -> list[StampProgram]:
        """The punch cards that the tenant offers now."""
        setup = await info.context.setup()
        return [
            StampProgram(
                slug=program.slug,
                needed=version.config.needed,
                reward=format_minor(version.config.reward, setup.places(version.config.unit) or 0),
                unit=version.config.unit,
            )
            for program, version in await _programs(info.context)
        ]


part = GraphQLPart(query=StampQuery, fields={Member: (stamp_cards,)}, types=(StampCard,))


async def _programs(context: Context) -> list[tuple[Program, ProgramVersion]]:
    active = active_programs(await context.setup(), context.api.clock.now())
    return [pair for pair in active if pair[0].kind == "stamps"]


def _open(row: Any, now: datetime) -> bool:
    return bool(row["stamps"]) and (row["ends_at"] is None or row["ends_at"] > now)


def _shown(program: Program, version: ProgramVersion, row: Any) -> StampCard:
    return StampCard(
        program=program.slug,
        stamps=row["stamps"],
        needed=version.config.needed,
        ends_at=row["ends_at"],
    )
