"""Programs of kind `partners`."""

from loyalty.errors import Code, Refused
from loyalty.setup import Program
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
