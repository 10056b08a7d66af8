"""How large the values of variables may be, by the types they are declared with."""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLType,
    OperationDefinitionNode,
    type_from_ast,
)

from loyalty_graphql.limits.exceeded import LimitExceeded
from loyalty_graphql.limits.numbers import Limits

Check = Callable[[Any], None]

# They cannot be long, or they check themselves.
_SMALL = frozenset({"Int", "Float", "Boolean", "Decimal", "DateTime", "Date", "JSON", "Config"})


class VariableSizes:
    """Checks of the input types, each compiled at its first use.

    `big` names the scalars that carry the items of a batch and have limits of their own.
    """

    def __init__(self, schema: GraphQLSchema, limits: Limits, big: frozenset[str]) -> None:
        self._schema = schema
        self._limits = limits
        self._free = _SMALL | big
        self._objects: dict[str, Check] = {}

    def checks(self, operation: OperationDefinitionNode) -> dict[str, Check]:
        """What to ask of each variable of an operation; compiled once per document."""
        checks: dict[str, Check] = {}
        for variable in operation.variable_definitions or ():
            declared = type_from_ast(self._schema, variable.type)
            if declared is not None and (check := self._check(declared)) is not None:
                checks[variable.variable.name.value] = check
        return checks

    def _check(self, kind: GraphQLType, place: str = "") -> Check | None:
        match kind:
            case GraphQLNonNull():
                return self._check(kind.of_type, place)
            case GraphQLList():
                allowed = self._limits.list_arguments.get(place, self._limits.list_argument)
                return self._list(self._check(kind.of_type), allowed)
            case GraphQLInputObjectType():
                return self._object(kind)
            case GraphQLScalarType() if kind.name not in self._free:
                return self._text
        return None

    def _text(self, value: Any) -> None:
        if isinstance(value, str) and len(value) > self._limits.text:
            raise LimitExceeded("text", f"a string has at most {self._limits.text:,} characters")

    def _list(self, item: Check | None, allowed: int) -> Check:
        def check(value: Any) -> None:
            if not isinstance(value, list):
                # One value stands for a list of one.
                return None if item is None else item(value)
            if len(value) > allowed:
                raise LimitExceeded(
                    "list_argument",
                    f"a list has at most {allowed} items, this one has {len(value)}; "
                    "send several requests",
                )
            if item is not None:
                for one in value:
                    item(one)
            return None

        return check

    def _object(self, kind: GraphQLInputObjectType) -> Check:
        known = self._objects.get(kind.name)
        if known is not None:
            return known
        fields: dict[str, Check] = {}

        def check(value: Any) -> None:
            if isinstance(value, dict):
                check_each(fields, value)

        # Known before its fields are, so that an input type may contain itself.
        self._objects[kind.name] = check
        for name, field in kind.fields.items():
            if (inner := self._check(field.type, f"{kind.name}.{name}")) is not None:
                fields[name] = inner
        return check


def check_each(checks: Mapping[str, Check], values: Mapping[str, Any]) -> None:
    """Ask each check about the value of its name.

    :raises LimitExceeded: with the path of the value that is too large
    """
    for name, check in checks.items():
        if (value := values.get(name)) is not None:
            try:
                check(value)
            except LimitExceeded as found:
                raise found.under(name) from None
