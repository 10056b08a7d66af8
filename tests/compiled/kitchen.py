"""A schema with what the platform's own does without: extensions, permissions, `Maybe`, casts."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from strawberry import UNSET, Info, Maybe
from strawberry.dataloader import DataLoader
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.relay import GlobalID
from strawberry.schema.config import StrawberryConfig

from compiled_graphql import Gated

T = TypeVar("T")


@dataclass(slots=True)
class Context:
    log: list[Any] = field(default_factory=list)
    loader: DataLoader[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.loader = DataLoader(self._load)

    async def _load(self, keys: list[int]) -> list[int]:
        self.log.append(("batch", tuple(keys)))
        return [key * 10 for key in keys]


class Colour(Enum):
    RED = "red"
    GREEN = 2
    ALSO_RED = "red"


class Never(BasePermission):
    message = "nobody may"

    def has_permission(self, source: Any, info: Info, **given: Any) -> bool:
        return False


class Shout(FieldExtension):
    def resolve(self, next_: Any, source: Any, info: Info, **given: Any) -> Any:
        found = next_(source, info, **given)
        return found.upper() if isinstance(found, str) else found


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Cat(Named):
    lives: int = 9

    @strawberry.field
    async def kittens(self, info: Info[Context, None], first: int = 2) -> list["Cat"]:
        loaded = await info.context.loader.load(first)
        return [Cat(name=f"{self.name}-{n}", lives=loaded) for n in range(first)]


@strawberry.type
class Dog(Named):
    barks: bool | None = None

    @strawberry.field
    def owner(self) -> str:
        raise ValueError(f"{self.name} has none")


@strawberry.type
class Box(Generic[T]):
    holds: T


@strawberry.type
class Plain:
    name: str

    @classmethod
    def is_type_of(cls, obj: Any, info: Info) -> bool:
        return isinstance(obj, Plain | Row)


class Row:
    """Of an ORM: no class of the schema."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lives = 1


Pet = Annotated[Cat | Dog, strawberry.union("Pet")]


@strawberry.input
class Inner:
    text: str = "inner"
    numbers: list[int] = strawberry.field(default_factory=lambda: [1, 2])


@strawberry.input
class Form:
    name: str
    count: int | None = UNSET
    colour: Colour = Colour.GREEN
    inner: Inner | None = strawberry.field(default_factory=Inner)
    many: list[Inner] | None = None
    maybe: Maybe[str | None] = None
    sure: Maybe[int] = None
    day: date | None = None


@strawberry.input
class Tree:
    name: str
    below: "list[Tree] | None" = None


@strawberry.input(one_of=True)
class Which:
    name: str | None = UNSET
    number: int | None = UNSET


@strawberry.input
class Refusing:
    name: str

    def __post_init__(self) -> None:
        if self.name == "no":
            raise ValueError("refused where it is built")


def _shown(value: Any) -> str:
    return repr(value)


@strawberry.type
class Query:
    @strawberry.field
    def form(self, form: Form, also: Form | None = None) -> str:
        if form.inner:
            form.inner.numbers.append(3)  # must not be seen by anybody else
        return _shown([form, also])

    @strawberry.field
    async def late_form(self, form: Form | None = None) -> str:
        return _shown(form)

    @strawberry.field
    def tree(self, tree: Tree) -> str:
        return _shown(tree)

    @strawberry.field
    def which(self, which: Which) -> str:
        return _shown(which)

    @strawberry.field
    async def refusing(self, given: Refusing) -> str:
        return given.name

    @strawberry.field
    def global_id(self, id: GlobalID) -> str:
        return _shown(id)

    @strawberry.field
    def optional(self, number: int | None = 7, text: str | None = UNSET) -> str:
        return _shown([number, text])

    @strawberry.field
    def ids(self, ids: list[strawberry.ID], flags: list[bool | None] | None = None) -> str:
        return _shown([ids, flags])

    @strawberry.field(permission_classes=[Never])  # type: ignore[untyped-decorator]
    def forbidden(self) -> str:
        return "seen"

    @strawberry.field(extensions=[Shout()])  # type: ignore[untyped-decorator]
    def loud(self, word: str) -> str:
        return word

    @strawberry.field
    def pets(self) -> list[Pet]:
        return [Cat(name="Tom"), Dog(name="Rex"), Cat(name="Kit", lives=3)]

    @strawberry.field
    async def named(self, wrong: bool = False) -> list[Named | None]:
        return [Cat(name="Tom"), None, Dog(name="Rex"), *([Row("who")] if wrong else [])]  # type: ignore[list-item]

    @strawberry.field
    def cast(self) -> Named:
        return strawberry.cast(Cat, Row("cast"))  # type: ignore[return-value]

    @strawberry.field
    def numbers(self) -> Box[int]:
        return Box(holds=3)

    @strawberry.field
    def texts(self) -> Box[str]:
        return Box(holds="three")

    @strawberry.field
    def plain(self, good: bool = True) -> Plain | None:
        return Row("row") if good else object()  # type: ignore[return-value]

    @strawberry.field
    def colours(self) -> list[Colour]:
        return [Colour.RED, Colour.GREEN, Colour.ALSO_RED, "BLUE"]  # type: ignore[list-item]

    @strawberry.field
    async def stream(self) -> list[int]:
        async def numbers() -> AsyncIterator[int]:
            for number in range(3):
                await asyncio.sleep(0)
                yield number

        return numbers()  # type: ignore[return-value]

    @strawberry.field
    def instant(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC)

    @strawberry.field
    def cats(self, info: Info[Context, None], count: int = 3) -> list[Cat]:
        info.context.log.append(("cats", info.path.as_list(), info.field_name))
        return [Cat(name=f"cat {n}") for n in range(count)]

    @strawberry.field
    async def slow(self, info: Info[Context, None], ticks: int, fails: bool = False) -> int:
        try:
            for _ in range(ticks):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            info.context.log.append(("cancelled", ticks))
            raise
        info.context.log.append(("done", ticks))
        if fails:
            raise ValueError(f"after {ticks}")
        return ticks

    @strawberry.field
    def hidden(self) -> str:
        return "seen"


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def wait(self, info: Info[Context, None], name: str, ticks: int = 0) -> str:
        info.context.log.append(("begins", name))
        for _ in range(ticks):
            await asyncio.sleep(0)
        info.context.log.append(("ends", name))
        return name

    @strawberry.mutation
    def at_once(self, info: Info[Context, None], name: str) -> str:
        info.context.log.append(("at once", name))
        if name == "fails":
            raise ValueError("failed at once")
        return name

    @strawberry.mutation
    async def maybe(self, info: Info[Context, None], fails: bool) -> str | None:
        info.context.log.append(("maybe", fails))
        if fails:
            raise ValueError("failed later")
        return None


def made() -> strawberry.Schema:
    schema = strawberry.Schema(
        query=Query, mutation=Mutation, types=[Cat, Dog], config=StrawberryConfig()
    )
    hidden = schema._schema.type_map["Query"].fields["hidden"]  # type: ignore[attr-defined]

    def check(context: Context) -> None:
        context.log.append("checked")
        raise PermissionError("hidden from everybody")

    hidden.resolve = Gated(hidden.resolve, check)
    return schema
