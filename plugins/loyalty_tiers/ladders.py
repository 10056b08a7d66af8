"""The ladders of a tenant."""

from collections.abc import Iterator
from datetime import datetime

from loyalty.setup import Program, Setup, active_programs
from loyalty_tiers.config import TiersConfig

KIND = "tiers"


def ladders(setup: Setup, at: datetime) -> Iterator[tuple[Program, TiersConfig]]:
    """The ladders in force at an instant, in their order, each with its config."""
    for program, version in active_programs(setup, at):
        if program.kind == KIND and isinstance(version.config, TiersConfig):
            yield program, version.config
