"""Input objects built by closures compiled once.

strawberry looks up the type of every field again for every value, which is half of a small
mutation. `from_input` is its own hook for types that build themselves. Only what can be built
ahead is: anything else (`Maybe`, lazy types, global ids) goes through strawberry as before.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any, TypeVar

from strawberry.relay import GlobalID
from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import InputContext
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    get_object_definition,
)
from strawberry.types.lazy_type import LazyType

from compiled_graphql import AS_USUAL

T = TypeVar("T", bound=type)

Convert = Callable[[Any, InputContext], Any]
Slot = tuple[str, str, Convert | None]


def compiled(kind: T) -> T:
    """Let an input type, and the input types in it, build themselves.

    Stands above `@strawberry.input`. The type has no say in it: it is built as it would have been.
    """
    get_object_definition(kind, strict=True).from_input = _build_of()
    return kind


def _build_of() -> Callable[[type, Mapping[str, Any], InputContext], Any]:
    # At the first value, not before: a field may name a type that is defined further down. By
    # class, since every specialisation of a generic input has field types of its own.
    known: dict[type, tuple[list[Slot], dict[str, None]]] = {}

    def build(kind: type, values: Mapping[str, Any], context: InputContext) -> object:
        if (parts := known.get(kind)) is None:
            definition = get_object_definition(kind, strict=True)
            parts = known[kind] = (_slots(definition, context.config), _absent(definition))
        slots, absent = parts
        given: dict[str, Any] = {**absent}
        for name, shown, convert in slots:
            if shown in values:
                value = values[shown]
                given[name] = value if convert is None else convert(value, context)
        return kind(**given)

    setattr(build, AS_USUAL, True)
    return build


def _slots(definition: StrawberryObjectDefinition, config: StrawberryConfig) -> list[Slot]:
    names = config.name_converter
    return [
        (
            field.python_name,
            shown := names.from_field(field),
            _convert(field.resolve_type(type_definition=definition), shown),
        )
        for field in definition.fields
    ]


def _absent(definition: StrawberryObjectDefinition) -> dict[str, None]:
    """What strawberry fills in for a nullable field that has no default and was not sent."""
    return {
        field.python_name: None
        for field in definition.fields
        if field.default_value is MISSING and field.default_factory is MISSING
    }


def _convert(kind: Any, shown: str) -> Convert | None:
    """How a value of this type is converted; None where it is kept as it is."""
    match kind:
        case StrawberryMaybe() | LazyType():
            return _stock(kind, shown)
        case StrawberryOptional():
            return _convert(kind.of_type, shown)
        case StrawberryList():
            return _list(_convert(kind.of_type, shown))
    if kind is GlobalID:
        return _stock(kind, shown)
    definition = get_object_definition(kind)
    return None if definition is None else _object(kind, definition.from_input or _build_of())


def _stock(kind: Any, shown: str) -> Convert:
    return lambda value, context: context.convert(value, kind, shown)


def _list(item: Convert | None) -> Convert:
    if item is None:
        # A copy: graphql-core hands the same default list to every request.
        return lambda values, _: None if values is None else list(values)
    return lambda values, context: (
        None if values is None else [item(value, context) for value in values]
    )


def _object(kind: type, build: Callable[[type, Mapping[str, Any], InputContext], Any]) -> Convert:
    return lambda value, context: None if value is None else build(kind, value, context)
