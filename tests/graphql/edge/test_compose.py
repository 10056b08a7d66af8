"""One schema from many parts: nothing claimed twice, everything described and authorised."""

from typing import Annotated, Any

import pytest
import strawberry
from graphql import build_schema

from loyalty.plugin import GraphQLPart, Plugin
from loyalty_graphql.access import allow, only, public, reached
from loyalty_graphql.compose import ComposedSchema, Core, compose, sdl, undeclared
from loyalty_tenants.principal import Role

from .client import Edge, principal


@strawberry.type
@reached
class Thing:
    """Something."""

    name: str
    """What it is called."""


@strawberry.type
class ThingQuery:
    @strawberry.field
    @allow(Role.ADMIN, scope="members:read")
    def thing(self, size: int) -> Thing:
        """The thing of that size.

        :param size: how large,
            in metres
        """
        return Thing(name=str(size))


@strawberry.type
class MoreQuery:
    @strawberry.field
    @public
    def more(self) -> str:
        """More."""
        return "more"


@strawberry.field
def weight(root: Thing) -> int:
    """How heavy."""
    return len(root.name)


def plugin(name: str = "heavy", **part: Any) -> Plugin:
    return Plugin(name=name, config=dict, graphql=GraphQLPart(**part))


def test_a_plugin_adds_root_fields_and_fields_on_types_of_others() -> None:
    schema = compose(Core(query=[ThingQuery]), [plugin(query=MoreQuery, fields={Thing: (weight,)})])
    assert list(schema.core.type_map["Thing"].fields) == ["name", "weight"]  # type: ignore[attr-defined]
    assert list(schema.core.type_map["Query"].fields) == ["thing", "more"]  # type: ignore[attr-defined]
    assert undeclared(schema) == []


def test_a_plugin_that_is_left_out_leaves_no_trace() -> None:
    compose(Core(query=[ThingQuery]), [plugin(fields={Thing: (weight,)})])
    assert "weight" not in sdl(compose(Core(query=[ThingQuery])))


def test_composing_twice_gives_the_same_text() -> None:
    core = Core(query=[ThingQuery])
    plugins = [plugin("b", query=MoreQuery), plugin("a", fields={Thing: (weight,)})]
    assert sdl(compose(core, plugins)) == sdl(compose(core, plugins[::-1]))


def test_one_root_field_claimed_by_two_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"Query.more by plugin a, Query.more by plugin b"):
        compose(
            Core(query=[ThingQuery]), [plugin("a", query=MoreQuery), plugin("b", query=MoreQuery)]
        )


def test_one_field_of_a_type_claimed_by_two_is_an_error() -> None:
    two = [plugin("a", fields={Thing: (weight,)}), plugin("b", fields={Thing: (weight,)})]
    with pytest.raises(ValueError, match=r"Thing.weight by plugin a, Thing.weight by plugin b"):
        compose(Core(query=[ThingQuery]), two)


def test_a_plugin_cannot_take_over_a_field_of_the_core() -> None:
    @strawberry.field
    def name(root: Thing) -> str:
        """Another name."""
        return "x"

    with pytest.raises(ValueError, match=r"Thing.name by the core, Thing.name by plugin a"):
        compose(Core(query=[ThingQuery]), [plugin("a", fields={Thing: (name,)})])


def test_docstrings_are_the_descriptions() -> None:
    text = sdl(compose(Core(query=[ThingQuery])))
    for line in (
        '"""Something."""\ntype Thing {',
        '"""What it is called."""\n  name',
        '"""The thing of that size."""\n  thing(',
        '"""how large, in metres"""\n    size',
        '): Thing! @access(roles: [ADMIN], scope: "members:read")',
    ):
        assert line in text


def test_the_sdl_of_everything_is_read_back(schema: ComposedSchema) -> None:
    assert set(build_schema(sdl(schema)).type_map) >= {"Query", "PersonConnection", "UserError"}


def test_everything_is_described_and_authorised(schema: ComposedSchema) -> None:
    assert undeclared(schema) == []


def test_what_is_neither_is_named() -> None:
    @strawberry.type
    class Closed:
        left: int
        right: Annotated[int, only(Role.ADMIN, scope="no:such")]

    @strawberry.type
    class BareQuery:
        @strawberry.field
        def bare(self, count: int) -> Closed:
            return Closed(left=count, right=count)

    assert undeclared(compose(Core(query=[BareQuery]))) == [
        "Closed has no description",
        "Closed.left has no description",
        "Closed.left is open to nobody: declare @allow, or @reached on its type",
        "Closed.right has no description",
        "Closed.right names the scope no:such, which does not exist",
        "Query.bare has no description",
        "Query.bare is open to nobody: declare @allow, or @reached on its type",
        "Query.bare(count:) has no description",
    ]


async def test_introspection_says_what_docstrings_say() -> None:
    asked = """{ thing: __type(name: "Thing") { description fields { name description } }
    query: __type(name: "Query") { fields { args { description } } } }"""
    edge = Edge(compose(Core(query=[ThingQuery])))  # its own: another may have been asked before
    edge.callers = {"service": principal()}

    assert await edge.ask(asked) == {
        "data": {
            "thing": {
                "description": "Something.",
                "fields": [{"name": "name", "description": "What it is called."}],
            },
            "query": {"fields": [{"args": [{"description": "how large, in metres"}]}]},
        }
    }
