"""The variables of one operation: read from the request in one go, kept by number."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputType,
    OperationDefinitionNode,
    VariableDefinitionNode,
    get_named_type,
    is_input_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    type_from_ast,
)
from graphql.execution.values import VariableValues, get_variable_values
from graphql.pyutils import Undefined
from graphql.utilities.coerce_input_value import coerce_input_value
from strawberry.relay import GlobalID

from compiled_graphql.frozen import is_frozen
from compiled_graphql.inputs import ByTheBook, Take, Unusual, plain_type
from compiled_graphql.run import MISSING
from compiled_graphql.target import Target
from compiled_graphql.unsupported import Reason, Unsupported


@dataclass(slots=True, kw_only=True)
class Variable:
    """`kind` is strawberry's type where it is used; None where no resolver gets it."""

    index: int
    node: VariableDefinitionNode
    type: GraphQLInputType
    kind: Any = None
    is_kept: bool = True

    @property
    def name(self) -> str:
        return self.node.variable.name.value

    @property
    def is_always_there(self) -> bool:
        return is_non_null_type(self.type) or self.node.default_value is not None

    @property
    def is_leaf(self) -> bool:
        inner = self.type.of_type if is_non_null_type(self.type) else self.type
        return is_leaf_type(inner)


class Variables:
    """Told by the compiler how each is used, then closed with `ready`."""

    def __init__(self, target: Target, operation: OperationDefinitionNode) -> None:
        self.target = target
        self.inputs = target.inputs
        self._nodes = operation.variable_definitions or ()
        self._by_name = {
            node.variable.name.value: Variable(index=i, node=node, type=_type(target, node))
            for i, node in enumerate(self._nodes)
        }
        self._order = list(self._by_name.values())
        self._takes: list[tuple[str, Take, Callable[[], Any]]] = []

    def __getitem__(self, name: str) -> Variable:
        return self._by_name[name]

    def use(self, variable: Variable, kind: Any) -> str:
        """An expression for its value, as an argument of this type takes it.

        :raises ByTheBook: two arguments would have it converted in two ways
        """
        kept = self.inputs.is_kept_as_is(kind)
        if variable.kind is None:
            if not kept:
                self.inputs.check(kind)
            variable.kind, variable.is_kept = kind, kept
        elif variable.is_kept is not kept or not (kept or _same(variable.kind, kind)):
            raise ByTheBook
        if kept and variable.is_leaf:
            return f"V[{variable.index}]"
        return f"R.take({variable.index})"

    def use_coerced(self, name: str) -> int:
        """Its number, for use within a literal.

        :raises ByTheBook: it is not a leaf
        """
        variable = self._by_name[name]
        if not variable.is_leaf or not variable.is_kept:
            raise ByTheBook
        if variable.kind is None:
            variable.kind = str  # any that is kept: no later use may have it converted
        return variable.index

    def ready(self) -> None:
        """Every use is known."""
        self._takes = [(v.name, self._take(v), self._absent(v)) for v in self._order]

    def read(self, raw: dict[str, Any]) -> list[Any]:
        """What was sent, as resolvers take it.

        :raises Exception: graphql-core is to look at it
        """
        found = []
        for name, take, absent in self._takes:
            value = raw.get(name, MISSING)
            found.append(absent() if value is MISSING else take(value))
        return found

    def fresh(self, index: int, raw: dict[str, Any]) -> Any:
        """One of them once more, for another call."""
        name, take, absent = self._takes[index]
        return take(raw[name]) if name in raw else absent()

    def by_the_book(self, raw: dict[str, Any]) -> VariableValues | list[GraphQLError]:
        return get_variable_values(
            self.target.core,
            self._nodes,
            raw,
            max_errors=self.target.max_errors,
            hide_suggestions=self.target.hide_suggestions,
        )

    def slow(self, found: VariableValues) -> list[Any]:
        return [found.coerced.get(variable.name, MISSING) for variable in self._order]

    def convert(self, index: int, coerced: Any) -> Any:
        return self.inputs.convert(coerced, self._order[index].kind)

    def _take(self, variable: Variable) -> Take:
        try:
            if variable.kind is not None and not (variable.is_leaf and variable.is_kept):
                return self.inputs.take(variable.type, variable.kind)
        except ByTheBook:
            return _refuse
        return self._coerced(variable)

    def _coerced(self, variable: Variable) -> Take:
        type_ = variable.type
        if not is_leaf_type(get_named_type(type_)) or is_list_type(get_nullable(type_)):
            return _refuse

        def take(value: Any) -> Any:
            coerced = coerce_input_value(value, type_)
            if coerced is Undefined:
                raise Unusual
            return coerced

        return take

    def _absent(self, variable: Variable) -> Callable[[], Any]:
        if variable.node.default_value is None:
            return _unusual if is_non_null_type(variable.type) else _missing
        found = get_variable_values(self.target.core, [variable.node], {})
        if isinstance(found, list):
            return _unusual
        coerced = found.coerced[variable.name]
        if not is_frozen(coerced):
            return _unusual
        if variable.kind is None or (variable.is_kept and variable.is_leaf):
            return lambda: coerced
        return lambda: self.inputs.convert(coerced, variable.kind)


def get_nullable(kind: Any) -> Any:
    return kind.of_type if is_non_null_type(kind) else kind


def _type(target: Target, node: VariableDefinitionNode) -> GraphQLInputType:
    found = type_from_ast(target.core, node.type)
    if found is None or not is_input_type(found):
        raise Unsupported(Reason.OPERATION)
    return found


def _same(one: Any, other: Any) -> bool:
    """Whether two types of strawberry have values converted in the same way."""
    one, other = plain_type(one), plain_type(other)
    if hasattr(one, "of_type") and hasattr(other, "of_type"):
        return type(one) is type(other) and _same(one.of_type, other.of_type)
    return one is other or (one == other and one is GlobalID)


def _refuse(value: Any) -> Any:
    raise Unusual


def _unusual() -> Any:
    raise Unusual


def _missing() -> Any:
    return MISSING
