"""Whether an object is of the type that is selected: a test that is spared where it is sure."""

from typing import Any

from graphql import FieldNode, GraphQLError, GraphQLObjectType
from graphql.pyutils import inspect

from compiled_graphql.source import Source
from compiled_graphql.stock_parts import CAST, class_of


def type_test(kind: GraphQLObjectType, nodes: list[FieldNode], source: Source) -> list[str]:
    """Lines before a selection, that raise what graphql-core raises."""
    is_type_of = kind.is_type_of
    assert is_type_of is not None

    def check(value: Any) -> None:
        # strawberry's own test has no use for `info`.
        if not is_type_of(value, None):  # type: ignore[arg-type]
            raise GraphQLError(f"Expected value of type '{kind}' but got: {inspect(value)}.", nodes)

    checked = f"{source.constant(check)}(s)"
    python = class_of(kind)
    if python is None:
        return [checked]
    cast = source.constant(CAST)
    return [
        f"if s.__class__ is not {source.constant(python)} or getattr(s, {cast}, None) is not None:",
        f" {checked}",
    ]
