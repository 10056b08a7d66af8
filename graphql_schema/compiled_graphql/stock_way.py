"""The way of the stock executor, for one value and all beneath it."""

from typing import Any

from graphql import GraphQLOutputType

from compiled_graphql.field import Complete, Field
from compiled_graphql.paths import Place, path_of
from compiled_graphql.run import Run


def by_stock(kind: GraphQLOutputType, field: Field) -> Complete:
    """Leave a value and all beneath it to the stock executor."""

    def complete(run: Run, value: Any, place: Place) -> Any:
        path = path_of(place)
        assert path is not None
        info = run.raw_info(field, field.path(of_field(place)))
        return run.stock.complete_value(kind, field.details, info, path, value, None)

    return complete


def of_field(place: Place) -> Place:
    """What the field itself is in, for a place in its list."""
    while isinstance(place[1], int):
        place = place[0]
    return place[0]
