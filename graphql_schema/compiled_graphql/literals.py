"""Literals with variables in them, such as `{externalId: $id}`: a form that each run fills in."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputType,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.values import get_argument_values
from graphql.pyutils import Undefined
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

from compiled_graphql.field import Field
from compiled_graphql.frozen import is_frozen
from compiled_graphql.inputs import ByTheBook, Unusual
from compiled_graphql.run import MISSING, Run

Fill = Callable[[list[Any]], Any]


def variables_in(node: ValueNode) -> Iterator[str]:
    match node:
        case VariableNode():
            yield node.name.value
        case ListValueNode():
            for each in node.values:
                yield from variables_in(each)
        case ObjectValueNode():
            for field in node.fields:
                yield from variables_in(field.value)


class Template:
    """An argument that is a literal with variables: `coerced` in a run, then `built`.

    In two steps, since graphql-core coerces all arguments before a resolver, and so what guards it,
    is called; what it is called with is built behind that.
    """

    def __init__(
        self, field: Field, shown: str, node: ValueNode, kind: Any, indexes: Mapping[str, int]
    ) -> None:
        given = field.definition.args[shown]
        self._field = field
        self._only = GraphQLField(field.definition.type, {shown: given})
        self._indexes = indexes
        self.built = field.target.inputs.builder(kind)
        self._fill = self._form(node, given.type)

    def coerced(self, run: Run) -> Any:
        """The literal with the variables of a run.

        :raises GraphQLError: graphql-core refuses it
        """
        try:
            return self._fill(run.values)
        except Exception:
            return self._by_the_book(run)

    def _by_the_book(self, run: Run) -> Any:
        found = get_argument_values(
            self._only,
            self._field.nodes[0],
            run.stock.variable_values,
            hide_suggestions=self._field.target.hide_suggestions,
        )
        return next(iter(found.values()))

    def _form(self, node: ValueNode, kind: GraphQLInputType) -> Fill:
        if isinstance(node, VariableNode):
            return _variable(self._indexes[node.name.value])
        if is_non_null_type(kind):
            kind = kind.of_type
        if not any(True for _ in variables_in(node)):
            return _constant(coerce_input_literal(node, kind))
        if is_list_type(kind) and isinstance(node, ListValueNode):
            return _list([self._form(each, kind.of_type) for each in node.values])
        if is_input_object_type(kind) and isinstance(node, ObjectValueNode):
            return self._object(node, kind)
        raise ByTheBook

    def _object(self, node: ObjectValueNode, kind: Any) -> Fill:
        if kind.is_one_of:
            raise ByTheBook
        nodes = {each.name.value: each.value for each in node.fields}
        parts: list[tuple[str, Fill]] = []
        for name, field in kind.fields.items():
            if field.out_name not in (None, name):
                raise ByTheBook
            if name in nodes:
                parts.append((name, self._form(nodes[name], field.type)))
            elif (default := coerce_default_value(field)) is not Undefined:
                parts.append((name, _constant(default)))
        out: Callable[[dict[str, Any]], Any] = kind.out_type
        return lambda values: out({name: fill(values) for name, fill in parts})


def _variable(index: int) -> Fill:
    def fill(values: list[Any]) -> Any:
        value = values[index]
        if value is MISSING or value is None:
            raise Unusual
        return value

    return fill


def _constant(value: Any) -> Fill:
    if value is Undefined or not is_frozen(value):
        raise ByTheBook
    return lambda values: value


def _list(items: list[Fill]) -> Fill:
    return lambda values: [fill(values) for fill in items]
