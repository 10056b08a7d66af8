"""The cashback programs of a tenant."""

from collections.abc import Iterator
from datetime import datetime

from loyalty.setup import Program, Setup, active_programs
from loyalty_cashback.config import CashbackConfig


def offered(setup: Setup, at: datetime) -> Iterator[tuple[Program, CashbackConfig]]:
    """The programs in force at an instant, in their order, each with its config."""
    for program, version in active_programs(setup, at):
        if isinstance(version.config, CashbackConfig):
            yield program, version.config


def config_at(program: Program, at: datetime) -> CashbackConfig | None:
    version = program.at(at)
    config: object = None if version is None else version.config
    return config if isinstance(config, CashbackConfig) else None
