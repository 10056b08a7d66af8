"""Whose account: as tests name it, and as rows say it."""

from typing import Any

from loyalty.facts import LotsDue, MemberRef
from loyalty.owners import Holder, Owner, holder_of


def held_by(whose: MemberRef | Owner) -> Holder:
    if isinstance(whose, Owner):
        return whose
    assert whose.id is not None
    return whose.id


def lots_due(row: Any) -> LotsDue:
    """What a worker names of a row with an account and an instant at which lots of it end."""
    holder = holder_of(row["owner_kind"], row["owner_id"])
    owner = holder if isinstance(holder, Owner) else None
    return LotsDue(
        member=None if owner else MemberRef(id=row["owner_id"]), occurred_at=row["expires_at"],
        unit=row["unit"], version=row["version"], owner=owner,
    )  # fmt: skip
