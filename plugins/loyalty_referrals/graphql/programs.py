"""The referral programs of a tenant, and the one that a request names."""

from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.setup import Program, active_programs
from loyalty_graphql.context import Context
from loyalty_referrals.config import ReferralsConfig


async def offered(context: Context) -> list[tuple[Program, ReferralsConfig]]:
    """The programs in force now, in their order, each with its config."""
    setup = await context.setup()
    return [
        (program, version.config)
        for program, version in active_programs(setup, context.api.clock.now())
        if isinstance(version.config, ReferralsConfig)
    ]


async def named(context: Context, slug: str) -> tuple[Program, ReferralsConfig]:
    """:raises Refused: PROGRAM_NOT_ACTIVE"""
    for program, config in await offered(context):
        if program.slug == slug:
            return program, config
    raise Refused(
        Code.PROGRAM_NOT_ACTIVE, "no active referral program has this slug", field="program"
    )


async def known(context: Context, slug: str) -> Program | None:
    """A program by its slug, in force or archived."""
    program = (await context.setup()).program(slug)
    return program if program is not None and program.kind == "referrals" else None


async def slugs(context: Context) -> dict[UUID, str]:
    """By id the slugs of all referral programs, also of those that are archived."""
    setup = await context.setup()
    return {one.id: one.slug for one in setup.programs if one.kind == "referrals"}
