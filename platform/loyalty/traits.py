"""Which traits a reaction reads, by their full names: worked out once for each setup."""

from collections.abc import Iterable, Mapping
from typing import Any

from loyalty.plugin import Plugin
from loyalty.setup import Program, ProgramVersion, Setup


def full_names(
    asked: Iterable[str], own: str, setup: Setup, plugins: Mapping[str, Plugin]
) -> tuple[str, ...]:
    """Each full name once. `own` is the slug of the program that asks.

    `*.tier` stands for any program's, `.tier` for the asking program's own and `*.*` for all that
    the tenant's programs declare.
    """
    found: dict[str, None] = {}
    for name in asked:
        found.update(dict.fromkeys(_meant(name, own, setup, plugins)))
    return tuple(found)


def defaults(
    programs: Iterable[tuple[Program, ProgramVersion]], plugins: Mapping[str, Plugin]
) -> dict[str, Any]:
    """What holds of the members of whom nothing was set, by full name, where the config says so."""
    return {
        f"{program.slug}.{trait.name}": default
        for program, version in programs
        if (plugin := plugins.get(program.kind)) is not None
        for trait in plugin.traits
        if trait.default is not None and (default := trait.default(version.config)) is not None
    }


def _meant(name: str, own: str, setup: Setup, plugins: Mapping[str, Plugin]) -> Iterable[str]:
    if name == "*.*":
        return [
            f"{program.slug}.{trait.name}"
            for program in setup.programs
            if (plugin := plugins.get(program.kind)) is not None
            for trait in plugin.traits
        ]
    if name.startswith("*."):
        return [f"{program.slug}{name[1:]}" for program in setup.programs]
    return [own + name if name.startswith(".") else name]
