"""The operation of a document that is to be compiled, and what speaks against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.collect_fields import FragmentDetails

from compiled_graphql.unsupported import Reason, Unsupported

CONDITIONS_MAX = 4
_CONDITIONS = ("skip", "include")
_INTROSPECTION = ("__schema", "__type")


@dataclass(frozen=True, slots=True)
class Operation:
    """`conditions` are the variables that decide which fields there are, with their defaults."""

    node: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    conditions: Mapping[str, Any]

    @property
    def details(self) -> dict[str, FragmentDetails]:
        return {name: FragmentDetails(node) for name, node in self.fragments.items()}

    def flags(self, variables: Mapping[str, Any]) -> tuple[bool, ...] | None:
        """What the conditions are in one request; None where one is no Boolean."""
        if not self.conditions:
            return ()
        found = tuple(variables.get(name, default) for name, default in self.conditions.items())
        return found if all(flag is True or flag is False for flag in found) else None


def operation_of(document: DocumentNode, name: str | None) -> Operation:
    """Find it.

    :raises Unsupported: with the reason
    """
    operations = [
        each for each in document.definitions
        if isinstance(each, OperationDefinitionNode)
        and (name is None or (each.name is not None and each.name.value == name))
    ]  # fmt: skip
    if len(operations) != 1:
        raise Unsupported(Reason.OPERATION)
    node = operations[0]
    if node.operation is OperationType.SUBSCRIPTION:
        raise Unsupported(Reason.SUBSCRIPTION)
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    looked = _Look()
    for part in (node, *fragments.values()):
        visit(part, looked)
    if len(looked.conditions) > CONDITIONS_MAX:
        raise Unsupported(Reason.CONDITIONS)
    return Operation(node, fragments, _with_defaults(node, looked.conditions))


class _Look(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.conditions: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value not in _CONDITIONS:
            raise Unsupported(Reason.DIRECTIVE)
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.conditions.add(argument.value.name.value)

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        if node.name.value in _INTROSPECTION:
            raise Unsupported(Reason.INTROSPECTION)

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        if node.variable_definitions:
            raise Unsupported(Reason.OPERATION)


def _with_defaults(node: OperationDefinitionNode, names: set[str]) -> dict[str, Any]:
    defaults: dict[str, Node | None] = {
        each.variable.name.value: each.default_value for each in node.variable_definitions or ()
    }
    return {
        name: getattr(default, "value", None) for name, default in defaults.items() if name in names
    }
