"""Which traits a reaction reads, by their full names: worked out once for each setup."""

from collections.abc import Iterable, Mapping

from loyalty.plugin import Plugin
from loyalty.setup import Setup


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
