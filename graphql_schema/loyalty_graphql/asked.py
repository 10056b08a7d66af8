"""The parameters of a GraphQL request, their types checked."""

from dataclasses import dataclass
from typing import Any

from loyalty_graphql.rejection import bad_request


@dataclass(frozen=True, slots=True)
class Asked:
    """Either a document or the id of a trusted one."""

    query: str | None
    document_id: str | None = None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None


def asked(body: Any) -> Asked:
    """Read a parsed body; `extensions` are checked and left alone.

    :raises Rejected: 400 with the parameter at fault
    """
    query: str | None = None
    match body:
        case list():
            raise bad_request("send one request at a time; batches are not taken")
        case {"documentId": str() as document_id} if document_id and body.get("query") is None:
            pass
        case {"query": str() as query} if query.strip() and body.get("documentId") is None:
            pass
        case dict():
            raise bad_request(
                "send the document as the string parameter query, or a trusted one's documentId"
            )
        case _:
            raise bad_request("send a JSON object with the parameter query")
    name = body.get("operationName")
    if name is not None and not isinstance(name, str):
        raise bad_request("send operationName as a string, or leave it out")
    for parameter in ("variables", "extensions"):
        if not isinstance(body.get(parameter), dict | None):
            raise bad_request(f"send {parameter} as a JSON object, or leave it out")
    return Asked(
        query,
        body.get("documentId"),
        operation_name=name or None,
        variables=body.get("variables"),
    )
