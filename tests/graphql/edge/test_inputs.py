"""Compiled inputs are what strawberry would have made of the same values."""

from datetime import date, datetime
from enum import Enum
from typing import Any

import strawberry
from hypothesis import given
from hypothesis import strategies as st
from strawberry import relay
from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import InputContext, convert_argument
from strawberry.types.base import get_object_definition

from loyalty_graphql.compose import Core, compose
from loyalty_graphql.inputs import compiled
from loyalty_graphql.scalars import SCALARS, Decimal, Json


@strawberry.enum
class Kind(Enum):
    A = "a"
    B = "b"


@strawberry.input
class Inner:
    amount: Decimal
    count: int = 3
    tags: list[str] | None = None
    deeper: "Inner | None" = None


@strawberry.input(one_of=True)
class Ref:
    id: strawberry.ID | None = strawberry.UNSET
    external_id: str | None = strawberry.UNSET


@strawberry.input
class Outer:
    external_id: str
    by: Ref
    inners: list[Inner]
    rows: list[list[Inner | None]] | None = None
    kinds: list[Kind] = strawberry.field(default_factory=lambda: [Kind.A])
    kind: Kind | None = None
    at: datetime | None = None
    day: date | None = None
    attributes: Json | None = None
    renamed: int | None = strawberry.field(name="other", default=None)
    unset: int | None = strawberry.UNSET
    maybe: strawberry.Maybe[int | None] = None
    maybe_inner: strawberry.Maybe[Inner] = None
    node: relay.GlobalID | None = None


CONFIG = StrawberryConfig(scalar_map=SCALARS)
text = st.text(max_size=4)


def anything(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Each field has a type of its own, which the checker cannot follow."""
    return strategy


inner: st.SearchStrategy[dict[str, Any]] = st.deferred(
    lambda: st.fixed_dictionaries(
        {"amount": anything(text)},
        optional={
            "count": st.integers(0, 9),
            "tags": st.none() | st.lists(text, max_size=2),
            "deeper": st.none() | inner,
        },
    )
)
ref = st.fixed_dictionaries({"id": text}) | st.fixed_dictionaries({"externalId": text})
outer = st.fixed_dictionaries(
    {"externalId": text, "by": ref, "inners": st.lists(inner, max_size=3)},
    optional={
        "rows": st.none() | st.lists(st.lists(st.none() | inner, max_size=2), max_size=2),
        "kinds": st.lists(st.sampled_from(Kind), max_size=2),
        "kind": st.none() | st.sampled_from(Kind),
        "at": st.none() | st.datetimes(),
        "day": st.none() | st.dates(),
        "attributes": st.none() | st.dictionaries(text, text, max_size=2),
        "other": st.none() | st.integers(0, 9),
        "unset": st.none() | st.integers(0, 9),
        "maybe": st.none() | st.integers(0, 9),
        "maybeInner": inner,
        "node": st.none() | st.just(relay.to_base64("Member", "1")),
    },
)


def stock(kind: Any, values: Any) -> Any:
    """As strawberry converts it, whatever the type was told to do."""
    definition = get_object_definition(kind, strict=True)
    kept, definition.from_input = definition.from_input, None
    try:
        return convert_argument(values, kind, SCALARS_AND_BUILTIN, CONFIG)
    finally:
        definition.from_input = kept


@strawberry.type
class AnyQuery:
    @strawberry.field
    def outer(self, input: Outer) -> str:
        """Shows what came of it."""
        return repr(input)


SCHEMA = compose(Core(query=[AnyQuery]))
SCALARS_AND_BUILTIN = SCHEMA.schema_converter.scalar_registry
compiled(Outer)


@given(outer)
def test_a_compiled_input_is_what_the_stock_conversion_makes(values: dict[str, Any]) -> None:
    context = InputContext(info=None, config=CONFIG, scalar_registry=SCALARS_AND_BUILTIN, path=())
    build = get_object_definition(Outer, strict=True).from_input
    assert build is not None
    assert build(Outer, values, context) == stock(Outer, values)


@given(st.lists(text, max_size=2))
def test_lists_are_copied(tags: list[str]) -> None:
    context = InputContext(info=None, config=CONFIG, scalar_registry=SCALARS_AND_BUILTIN, path=())
    build = get_object_definition(Outer, strict=True).from_input
    assert build is not None
    values = {"externalId": "1", "by": {"id": "1"}, "inners": [{"amount": "1", "tags": tags}]}
    made = build(Outer, values, context)
    assert made.inners[0].tags == tags
    assert made.inners[0].tags is not tags


async def test_a_compiled_input_arrives_in_its_resolver(edge: Any) -> None:
    answer = await edge.ask(
        "mutation ($i: PurchaseInput!) { record(input: $i) { total userErrors { code field } } }",
        variables={"i": {"externalId": "7", "lines": [{"amount": "1"}, {"amount": "-1"}]}},
    )
    errors = [{"code": "BAD_AMOUNT", "field": "lines.1.amount"}]
    assert answer == {"data": {"record": {"total": None, "userErrors": errors}}}
    assert edge.ran == ["7"]
