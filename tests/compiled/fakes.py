"""Resolvers that answer anything, the same for both executors: made up from what is asked.

What a field answers is drawn from the seed, the object it is asked of and its arguments. Now and
then it fails, is null, of a wrong type, an exception as a value, or still to come.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextvars import ContextVar
from datetime import UTC, datetime
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from strawberry import Schema
from strawberry.dataloader import DataLoader
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from tests.compiled.resolvers import DEFINITION, Resolver, replace_resolvers


class Later(Awaitable[Any]):
    """A value that is still to come, and is no coroutine."""

    def __init__(self, value: Callable[[], Any]) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "a later value"

    def __await__(self) -> Generator[Any, None, Any]:
        yield from asyncio.sleep(0).__await__()
        return self._value()


class _Odd:
    def __repr__(self) -> str:
        return "an odd thing"


class World:
    """What one run sees: `log` has all that resolvers and loaders were asked, in order."""

    def __init__(self, schema: GraphQLSchema, seed: int, calm: bool = False) -> None:
        self.schema = schema
        self.seed = seed
        self.calm = calm
        self.log: list[Any] = []
        self._tokens: dict[int, tuple[Any, str]] = {}
        self.loader: DataLoader[str, str] = DataLoader(self._load)

    async def _load(self, keys: list[str]) -> list[str]:
        self.log.append(("batch", tuple(keys)))
        await asyncio.sleep(0)
        return [f"loaded {key}" for key in keys]

    def token(self, source: Any) -> str:
        return self._tokens[id(source)][1] if id(source) in self._tokens else "root"

    def random(self, token: str) -> Random:
        return Random(f"{self.seed} {token}")

    def value(self, kind: Any, token: str) -> Any:
        """What is answered for a type.

        :raises ValueError: it fails
        """
        random = self.random(token)
        chance = 1.0 if self.calm else random.random()
        if chance < 0.01:
            raise ValueError(f"failed at {token}")
        if chance < 0.015:
            return KeyError(f"an error as a value at {token}")
        if chance < 0.03:
            return None
        if chance < 0.04:
            return random.choice([_Odd(), 7, "wrong", [1], {"a": 1}, b"x", float("nan"), 2**40])
        if chance < 0.10:
            return Later(lambda: self._fitting(kind, token, random))
        return self._fitting(kind, token, random)

    def _fitting(self, kind: Any, token: str, random: Random) -> Any:
        if is_non_null_type(kind):
            return self._fitting(kind.of_type, token, random)
        if is_list_type(kind):
            return self._list(kind.of_type, token, random)
        if is_leaf_type(kind):
            return _leaf(kind, random)
        if is_abstract_type(kind):
            kind = random.choice(list(self.schema.get_possible_types(kind)))
        assert is_object_type(kind)
        return self.object(kind, token, random)

    def _list(self, kind: Any, token: str, random: Random) -> Any:
        def item(index: int) -> Any:
            try:
                return self.value(kind, f"{token}.{index}")
            except ValueError as error:
                return error

        items = [item(index) for index in range(random.randrange(4))]
        chance = 1.0 if self.calm else random.random()
        if chance < 0.06:
            return tuple(items)
        if chance < 0.10:
            return (each for each in items)
        if chance < 0.13:
            return _later_items(items, chance < 0.11)
        return items

    def object(self, kind: GraphQLObjectType, token: str, random: Random) -> Any:
        """An object of the class that stands for the type, or of a class derived from it."""
        definition = kind.extensions[DEFINITION]
        assert isinstance(definition, StrawberryObjectDefinition)
        exact = random.random() < 0.4 and "~" not in token
        made: Any = object.__new__(definition.origin if exact else _derived(kind, definition, self))
        self._tokens[id(made)] = made, token
        if exact:
            for field in _plain_fields(kind):
                value: Any
                try:
                    value = self.value(field.definition.type, f"{token}~{field.name}")
                except ValueError as error:
                    value = error
                object.__setattr__(made, field.python_name, value)
        return made


class _Plain:
    def __init__(self, name: str, definition: GraphQLField, python_name: str) -> None:
        self.name, self.definition, self.python_name = name, definition, python_name


def _plain_fields(kind: GraphQLObjectType) -> list[_Plain]:
    found = []
    for name, field in kind.fields.items():
        own = field.extensions.get(DEFINITION)
        if isinstance(own, StrawberryField) and not own.base_resolver:
            found.append(_Plain(name, field, own.python_name))
    return found


def _derived(kind: GraphQLObjectType, definition: StrawberryObjectDefinition, world: World) -> type:
    """A class whose attributes are made up when they are read."""

    def read(field: _Plain) -> property:
        return property(
            lambda made: world.value(field.definition.type, f"{world.token(made)}/{field.name}")
        )

    members = {field.python_name: read(field) for field in _plain_fields(kind)}
    return type(f"Some{kind.name}", (definition.origin,), members)


async def _later_items(items: list[Any], fails: bool) -> AsyncIterator[Any]:
    for each in items:
        await asyncio.sleep(0)
        yield each
    if fails:
        raise ValueError("the items ended early")


def _leaf(kind: Any, random: Random) -> Any:
    if isinstance(kind, GraphQLEnumType):
        members = list(kind.wrapped_cls)  # type: ignore[attr-defined]
        return random.choice(members) if random.random() < 0.95 else "NO_SUCH"
    match kind.name:
        case "String" | "ID":
            return random.choice(["text", "", "\u00e9", 5])
        case "Int":
            return random.choice([0, 3, 3, 3, 7, True, 2.0, "4", 2**31 - 1, -(2**31)])
        case "Float":
            return random.choice([0.5, 3, -0.0, "1.5"])
        case "Boolean":
            return random.choice([True, False, 1])
        case "DateTime":
            return datetime(2026, 3, 1, 12, tzinfo=UTC if random.random() < 0.95 else None)
        case "Decimal":
            return "1.50"
    return random.choice([{"a": [1, None]}, "text", 4])


def furnish(schema: Schema) -> None:
    """Put such resolvers, and guards that refuse now and then, into a schema.

    They look into the world that is set in their context.
    """
    replace_resolvers(schema, _fake, _check)


WORLD: ContextVar[World] = ContextVar("world")


def _check(place: str) -> Callable[[Any], None]:
    def check(context: Any) -> None:
        here = WORLD.get()
        here.log.append(("check", place))
        if not here.calm and here.random(f"check {place}").random() < 0.04:
            raise PermissionError(f"nobody may ask for {place}")

    return check


def _fake(resolver: Resolver) -> Callable[..., Any]:
    def asked(args: Any, kwargs: Any) -> tuple[World, str]:
        source, info, given = resolver.asked(args, kwargs)
        here = WORLD.get()
        token = f"{here.token(source)}/{resolver.place}{given!r}"
        here.log.append((token, None if info is None else _of_info(info, here.random(token))))
        return here, token

    def answer(*args: Any, **kwargs: Any) -> Any:
        here, token = asked(args, kwargs)
        return here.value(resolver.kind, token)

    async def answer_later(*args: Any, **kwargs: Any) -> Any:
        here, token = asked(args, kwargs)
        random = here.random(f"{token} waits")
        if random.random() < 0.4:
            await here.loader.load(f"{resolver.place} {random.randrange(3)}")
        for _ in range(random.randrange(3)):
            await asyncio.sleep(0)
        return here.value(resolver.kind, token)

    return answer_later if resolver.is_async else answer


def _of_info(info: Any, random: Random) -> Any:
    found = [info.field_name, info.path.as_list(), info.python_name]
    if random.random() < 0.2:
        found += [repr(info.variable_values), info.operation.operation, len(info.selected_fields)]
    return found
