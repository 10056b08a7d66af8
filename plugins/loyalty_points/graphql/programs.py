"""The points programs of a tenant, and the one that a request names."""

from collections.abc import Iterator
from datetime import datetime

from loyalty.errors import Code, Refused
from loyalty.setup import Program, Setup
from loyalty_graphql.context import Context
from loyalty_points.config import PointsConfig
from loyalty_points.windows import config_at, points_programs


def offered(setup: Setup, at: datetime) -> Iterator[tuple[Program, PointsConfig]]:
    """The programs in force at an instant, in their order, each with its config."""
    for program in points_programs(setup):
        if (config := config_at(program, at)) is not None:
            yield program, config


async def named(context: Context, slug: str) -> tuple[Setup, Program, PointsConfig]:
    """The tenant's setup, the program and its config as it is in force now.

    :raises Refused: PROGRAM_NOT_ACTIVE
    """
    setup = await context.setup()
    for program in points_programs(setup):
        config = config_at(program, context.api.clock.now())
        if program.slug == slug and config is not None:
            return setup, program, config
    raise Refused(
        Code.PROGRAM_NOT_ACTIVE, "no active points program has this slug", field="program"
    )
