"""The programs of subscriptions that a tenant runs, and the one that a request names."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from loyalty.errors import Code, Refused
from loyalty.setup import Program, Setup, active_programs
from loyalty_graphql.context import Context
from loyalty_subscriptions.config import SubscriptionsConfig


def offered(setup: Setup, at: datetime) -> Iterator[tuple[Program, SubscriptionsConfig]]:
    """The programs in force at an instant, in their order, each with its config."""
    for program, version in active_programs(setup, at):
        config: Any = version.config
        if isinstance(config, SubscriptionsConfig):
            yield program, config


async def named(context: Context, slug: str) -> tuple[Setup, Program, SubscriptionsConfig]:
    """The tenant's setup, the program and its config as it is in force now.

    :raises Refused: PROGRAM_NOT_ACTIVE
    """
    setup = await context.setup()
    for program, config in offered(setup, context.api.clock.now()):
        if program.slug == slug:
            return setup, program, config
    raise Refused(
        Code.PROGRAM_NOT_ACTIVE, "no active program of subscriptions has this slug", field="program"
    )
