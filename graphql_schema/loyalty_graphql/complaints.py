"""Errors as clients see them: what they can mend is told, the rest is a code and a request id."""

import logging
from collections.abc import Iterable
from typing import Any

from graphql import FieldNode, GraphQLError
from strawberry.exceptions import StrawberryInputCoercionError

from loyalty.errors import Code, Refused
from loyalty_graphql.edge_code import EdgeCode

log = logging.getLogger("loyalty.graphql")

Complaint = dict[str, Any]
# graphql-core quotes names and values in full, however long the client made them.
MESSAGE_MAX = 500


def complaint(code: str, message: str, **extensions: Any) -> Complaint:
    """One entry of `errors`."""
    if len(message) > MESSAGE_MAX:
        message = message[:MESSAGE_MAX] + "…"
    return {"message": message, "extensions": {"code": code, **extensions}}


def of_refusal(refused: Refused) -> Complaint:
    further = {"field": refused.field, "details": refused.details or None}
    given = {name: value for name, value in further.items() if value is not None}
    return complaint(refused.code.value, refused.message, **given)


def internal(request_id: str) -> Complaint:
    return complaint(Code.INTERNAL.value, "something went wrong on our side", requestId=request_id)


def of_document(errors: Iterable[GraphQLError], code: EdgeCode) -> list[Complaint]:
    """Errors found before anything ran: about the caller's own document and variables."""
    shown = []
    for error in errors:
        shown.append(_placed(error, complaint(code.value, error.message)))
        _let_go(error)
    return shown


def of_limit(error: GraphQLError) -> Complaint:
    _let_go(error)
    return _placed(error, complaint(message=error.message, **(error.extensions or {})))


def of_execution(errors: Iterable[GraphQLError], request_id: str) -> list[Complaint]:
    """Errors of fields. Refusals keep their code; anything unexpected is logged and hidden."""
    return [_placed(error, _of_field(error, request_id)) for error in errors]


def _of_field(error: GraphQLError, request_id: str) -> Complaint:
    cause = error.original_error
    if isinstance(cause, Refused):
        _let_go(error)
        return of_refusal(cause)
    if error.path is None or isinstance(cause, StrawberryInputCoercionError) or _of_input(error):
        _let_go(error)
        return complaint(EdgeCode.BAD_USER_INPUT.value, error.message)
    log.error(
        "field %s failed, request %s",
        ".".join(map(str, error.path)),
        request_id,
        exc_info=cause or error,
    )
    return internal(request_id)


def _let_go(error: BaseException) -> None:
    """Of the frames that raised it, and what led to it, for they hold it as well.

    Such a circle stays until garbage is looked for, which is when there are many objects; the text
    of a few, which quotes whatever a client sent, takes megabytes.
    """
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is not None and one.__traceback__ is not None:
            one.__traceback__ = None
            left += (one.__cause__, one.__context__, getattr(one, "original_error", None))


def _of_input(error: GraphQLError) -> bool:
    """Whether graphql-core found it in an argument; its own errors of answers name the field."""
    cause = error.original_error
    if cause is not None and not isinstance(cause, GraphQLError):
        return False
    return bool(error.nodes) and not any(isinstance(node, FieldNode) for node in error.nodes or ())


def _placed(error: GraphQLError, made: Complaint) -> Complaint:
    if error.locations:
        made["locations"] = [place.formatted for place in error.locations]
    if error.path is not None:
        made["path"] = error.path
    return made
