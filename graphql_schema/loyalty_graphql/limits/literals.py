"""How large the values may be that are written into a document."""

from collections.abc import Iterable

from graphql import (
    ArgumentNode,
    ListValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
)

from loyalty_graphql.limits.exceeded import LimitExceeded
from loyalty_graphql.limits.numbers import Limits


def check_arguments(nodes: Iterable[ArgumentNode | ObjectFieldNode] | None, limits: Limits) -> None:
    """Do nothing, or say which literal is too large. What is larger must come as a variable.

    :raises LimitExceeded: `text` or `list_argument`
    """
    for node in nodes or ():
        check_literal(node.value, limits)


def check_literal(node: ValueNode, limits: Limits) -> None:
    # The parser bounds the nesting, so this may recurse.
    match node:
        case StringValueNode():
            _check_text(node, limits)
        case ListValueNode():
            if len(node.values) > limits.list_argument:
                raise LimitExceeded(
                    "list_argument",
                    f"a list has at most {limits.list_argument} items; send several requests",
                )
            for value in node.values:
                check_literal(value, limits)
        case ObjectValueNode():
            check_arguments(node.fields, limits)


def _check_text(node: StringValueNode, limits: Limits) -> None:
    if len(node.value) > limits.text:
        raise LimitExceeded("text", f"a string has at most {limits.text:,} characters")
    if "\0" in node.value:
        raise LimitExceeded("characters", "send no NUL characters")
