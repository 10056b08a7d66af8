"""Our halves of agreements and their terms, as they are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from loyalty.plugin import Connection


class AgreementKind(StrEnum):
    """What two brands do with each other."""

    EXCHANGE = "EXCHANGE"
    ISSUING = "ISSUING"
    COALITION = "COALITION"


class AgreementState(StrEnum):
    """Where an agreement stands; the same on both sides."""

    PROPOSED = "PROPOSED"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    ENDED = "ENDED"


class TermsState(StrEnum):
    """Where terms stand; the same on both sides."""

    PROPOSED = "PROPOSED"
    ACCEPTED = "ACCEPTED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Our half. `partner` is the other tenant's slug, the client that an outside brand signs in as,
    or what we call a brand of another installation (`peer_id`). `partner_tenant_id` is None but for
    a tenant."""

    id: UUID
    kind: AgreementKind
    partner: str
    partner_tenant_id: UUID | None
    peer_id: UUID | None
    program_id: UUID
    unit: str | None
    partner_unit: str | None
    proposed_here: bool
    state: AgreementState
    suspended_here: bool
    suspended_there: bool
    created_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsVersion:
    """Terms as our side has them. `plain` is read by the agreement's kind."""

    agreement_id: UUID
    number: int
    plain: Mapping[str, Any]
    effective_from: datetime
    state: TermsState
    proposed_here: bool
    proposed_at: datetime
    decided_at: datetime | None


_COLUMNS = ", ".join(Agreement.__dataclass_fields__)
_TERMS_COLUMNS = ", ".join(
    "terms as plain" if name == "plain" else name for name in TermsVersion.__dataclass_fields__
)
_HERE = "tenant_id = (select loyalty.tenant())"


async def by_id(
    connection: Connection, agreement_id: UUID, *, lock: bool = False
) -> Agreement | None:
    """One of ours; `lock` keeps its state until the transaction ends."""
    row = await connection.fetchrow(
        f"""select {_COLUMNS} from loyalty.partners_agreement where {_HERE} and id = $1
            {"for update" if lock else ""}""",
        agreement_id,
    )
    return None if row is None else agreement_of(row)


async def page(
    connection: Connection, *, beyond: UUID | None, count: int, backward: bool = False
) -> Sequence[Agreement]:
    """Ours, newest first, beyond one of an id; backward: oldest first."""
    side, order = (">", "") if backward else ("<", "desc")
    rows = await connection.fetch(
        f"""select {_COLUMNS} from loyalty.partners_agreement
             where {_HERE} and ($1::uuid is null or id {side} $1) order by id {order} limit $2""",
        beyond,
        count,
    )
    return [agreement_of(row) for row in rows]


async def of_client(connection: Connection, client: str) -> Sequence[Agreement]:
    """Those with the outside brand that signs in as this client, newest first."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from loyalty.partners_agreement
             where {_HERE} and partner = $1 and kind = 'ISSUING' order by id desc""",
        client,
    )
    return [agreement_of(row) for row in rows]


async def active(connection: Connection, kind: AgreementKind) -> Sequence[Agreement]:
    """Those in force, by partner."""
    rows = await connection.fetch(
        f"""select {_COLUMNS} from loyalty.partners_agreement
             where {_HERE} and kind = $1 and state = 'ACTIVE' order by partner, id limit 200""",
        kind.value,
    )
    return [agreement_of(row) for row in rows]


async def terms_of_each(
    connection: Connection, agreements: Sequence[UUID]
) -> Mapping[UUID, Sequence[TermsVersion]]:
    """All terms of these, the newest number first."""
    rows = await connection.fetch(
        f"""select {_TERMS_COLUMNS} from loyalty.partners_terms
             where {_HERE} and agreement_id = any($1) order by agreement_id, number desc""",
        list(agreements),
    )
    found: dict[UUID, list[TermsVersion]] = {}
    for row in rows:
        found.setdefault(row["agreement_id"], []).append(_terms(row))
    return found


async def in_force(connection: Connection, agreement_id: UUID, at: datetime) -> TermsVersion | None:
    """The terms that apply at an instant; None before the first."""
    row = await connection.fetchrow(
        f"""select {_TERMS_COLUMNS} from loyalty.partners_terms
             where {_HERE} and agreement_id = $1 and state = 'ACCEPTED' and effective_from <= $2
             order by effective_from desc, number desc limit 1""",
        agreement_id,
        at,
    )
    return None if row is None else _terms(row)


def agreement_of(row: Mapping[str, Any]) -> Agreement:
    return Agreement(
        **{
            **row,
            "kind": AgreementKind(row["kind"]),
            "state": AgreementState(row["state"]),
        }
    )


def _terms(row: Mapping[str, Any]) -> TermsVersion:
    return TermsVersion(**{**row, "state": TermsState(row["state"])})
