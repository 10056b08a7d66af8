"""How inputs name a member."""

from typing import Any

import strawberry

from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef as Ref
from loyalty_graphql import texts
from loyalty_graphql.ids import uuid_of
from loyalty_graphql.inputs import compiled


@compiled
@strawberry.input(one_of=True)
class MemberRef:
    """Names a member in exactly one way."""

    id: strawberry.ID | None = strawberry.UNSET
    """The member's id in this API."""
    external_id: str | None = strawberry.UNSET
    """The tenant's own id of the member."""
    identifier: str | None = strawberry.UNSET
    """Something the member carries, such as a card number."""


def member_ref(given: MemberRef, field: str = "member") -> Ref:
    """The kernel's reference.

    :raises Refused: MEMBER_NOT_FOUND for an id that is no member's, BAD_USER_INPUT for bad text
    """
    return ref_of(given.id, given.external_id, given.identifier, field)


def ref_of(ident: Any, external_id: Any, identifier: Any, field: str) -> Ref:
    if isinstance(ident, str):
        try:
            return Ref(id=uuid_of(ident, "Member", field=f"{field}.id"))
        except Refused as refused:
            raise Refused(
                Code.MEMBER_NOT_FOUND, "there is no such member", field=refused.field
            ) from None
    if isinstance(external_id, str):
        return Ref(external_id=texts.name(external_id, field=f"{field}.externalId"))
    if isinstance(identifier, str):
        return Ref(identifier=texts.name(identifier, field=f"{field}.identifier"))
    raise Refused(
        Code.BAD_USER_INPUT,
        "name the member by exactly one of id, externalId and identifier",
        field=field,
    )
