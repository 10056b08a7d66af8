"""Enums of the lower floors, shown in the schema with a sentence for each value."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition

E = TypeVar("E", bound=Enum)


def exposed(
    enum: type[E], *, description: str, values: Mapping[E, str], name: str | None = None
) -> type[E]:
    """Register an enum that knows nothing of GraphQL, and say what each of its values means.

    :raises ValueError: a value has no description
    """
    if missing := [value.name for value in enum if value not in values]:
        raise ValueError(f"{enum.__name__} has values without a description: {missing}")
    strawberry.enum(enum, name=name or enum.__name__, description=description)
    texts = {value.name: text for value, text in values.items()}
    for shown in definition_of(enum).values:
        shown.description = texts[shown.name]
    return enum


def definition_of(enum: type[Enum]) -> StrawberryEnumDefinition:
    if not has_enum_definition(enum):
        raise TypeError(f"{enum.__name__} is not registered with the schema")
    return enum.__strawberry_definition__
