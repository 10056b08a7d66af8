"""Names that conditions may use: declared, of a type, described. Nothing else can be read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from loyalty.conditions.scene import Scene


class NameType(StrEnum):
    """The types of names, as they are told to those who write conditions."""

    INT = "int"
    AMOUNT = "int (minor units)"
    DOUBLE = "double"
    STRING = "string"
    TIMESTAMP = "timestamp"
    STRINGS = "list(string)"
    OBJECTS = "list(map(string, dyn))"
    AMOUNTS = "map(string, int (minor units))"
    MAP = "map(string, dyn)"


LISTS = (NameType.STRINGS, NameType.OBJECTS)
MAPS = (NameType.AMOUNTS, NameType.MAP)
PLAIN = (NameType.INT, NameType.AMOUNT, NameType.DOUBLE, NameType.STRING)
"""Types whose values come again: an amount, a tier, a weekday; an instant never does."""


class Entries(NamedTuple):
    """What a list of objects holds: the word for one of them, and the keys that each has."""

    one: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """One name. `traits` are those of the member that it is made of (None: those that are named
    in its brackets, or all), as `Reaction.traits` writes them. `of_one`: it names one member or
    fact, so its values do not come again, and are nothing to keep in memory. `entries` are known of
    a list of objects that all have the same keys."""

    name: str
    type: NameType
    description: str
    read: Callable[[Scene], Any]
    traits: tuple[str, ...] | None = ()
    of_one: bool = False
    entries: Entries | None = None


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """What conditions of one kind may read: `on` says what they are about."""

    on: str
    names: tuple[Name, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Name]:
        return {name.name: name for name in self.names}
