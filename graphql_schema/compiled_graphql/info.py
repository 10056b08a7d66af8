"""`info` for resolvers, made of three references until somebody asks for more than the context."""

from functools import cached_property
from types import SimpleNamespace
from typing import Any

from graphql import GraphQLResolveInfo
from strawberry.types.field import StrawberryField
from strawberry.types.info import Info
from strawberry.types.nodes import Selection, convert_selections

from compiled_graphql.field import Field
from compiled_graphql.paths import Place
from compiled_graphql.run import Run


class LeanInfo(Info[Any, Any]):
    """strawberry's `Info`: what it is made from is looked up when it is read."""

    def __init__(self, run: Run, field: Field, within: Place) -> None:
        self._run = run
        self._of = field
        self._within = within

    @property
    def context(self) -> Any:
        return self._run.context

    @property
    def root_value(self) -> Any:
        return self._run.root

    @property
    def selected_fields(self) -> list[Selection]:
        # Made from two things of the raw info: that would need all of the stock executor.
        run = self._run
        made_from: Any = SimpleNamespace(
            fragments=run.plan.operation.fragments, variable_values=run.variables
        )
        return convert_selections(made_from, self._of.nodes)

    @cached_property
    def _raw_info(self) -> GraphQLResolveInfo[Any]:  # type: ignore[override]
        return self._run.raw_info(self._of, self._of.path(self._within))

    @property
    def _field(self) -> StrawberryField:  # type: ignore[override]
        found: StrawberryField = self._of.definition.extensions["strawberry-definition"]
        return found


def full_info(kind: type[Info[Any, Any]]) -> Any:
    """The same for an info class of the schema's own."""

    def make(run: Run, field: Field, within: Place) -> Any:
        raw = run.raw_info(field, field.path(within))
        return kind(_raw_info=raw, _field=field.definition.extensions["strawberry-definition"])

    return make
