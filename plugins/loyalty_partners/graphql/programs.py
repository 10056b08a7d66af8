"""Programs of kind `partners`."""

from datetime import datetime

from loyalty.errors import Code, Refused
from loyalty.setup import Program
from loyalty_graphql import texts
from loyalty_graphql.context import Context


async def running(context: Context, slug: str) -> Program:
    """The tenant's program of this slug, in force now.

    :raises Refused: PROGRAM_NOT_ACTIVE
    """
    program = (await context.setup()).program(slug)
    now = context.api.clock.now()
    if program is None or program.kind != "partners" or program.at(now) is None:
        raise Refused(
            Code.PROGRAM_NOT_ACTIVE, "no active program of kind partners is called so",
            field="program",
        )  # fmt: skip
    return program


def check_moves(program: Program, unit: str, now: datetime) -> None:
    """:raises Refused: BAD_USER_INPUT, the program lets partners move no such unit"""
    version = program.at(now)
    if version is None or unit not in version.config.units:
        raise texts.bad("unit", f"the program {program.slug} lists no such unit under `units`")
