"""What waits for a second person. It is decided once, by somebody else than who asked.

The row's lock decides between two who decide at once; what is approved is done in the same
transaction, or (a correction) begun in it and carried out by key, once. A correction of which the
ledger refused everything has FAILED, as its items say: it may be decided once more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from loyalty.errors import Code, Refused
from loyalty.ids import new_id
from loyalty.plugin import Connection
from loyalty_tenants import audit
from loyalty_tenants.principal import Actor, is_same_person


class ApprovalKind(StrEnum):
    ADJUSTMENT = "ADJUSTMENT"
    BULK_ADJUSTMENT = "BULK_ADJUSTMENT"
    PUBLICATION = "PUBLICATION"
    POLICY = "POLICY"


class ApprovalState(StrEnum):
    WAITING = "WAITING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"  # by who asked
    FAILED = "FAILED"  # approved, and could not be done
    EXPIRED = "EXPIRED"  # nobody decided in time: no row says so, its instant does


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """`asked_client` and `decided_client` are who the two persons are to the rule. `again`: it is a
    correction that FAILED, and may be decided once more."""

    id: UUID
    kind: ApprovalKind
    state: ApprovalState
    subject: str
    body: Mapping[str, Any]
    asked_by: str
    asked_client: str
    asked_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_client: str | None
    decided_at: datetime | None
    note: str
    reason: Mapping[str, Any] | None
    again: bool = False

    def at(self, now: datetime) -> ApprovalState:
        """Its state at an instant."""
        late = self.state is ApprovalState.WAITING and self.expires_at <= now
        return ApprovalState.EXPIRED if late else self.state


COLUMNS = """a.id, a.kind, a.state, a.subject, a.body, a.asked_by, a.asked_client, a.asked_at,
  a.expires_at, a.decided_by, a.decided_client, a.decided_at, a.note, a.reason"""

# With what the ledger says of a correction that was approved, where it refused all of it.
_SHOWN = f"""
select {COLUMNS}, f.refusal from loyalty.approval_request a
  left join lateral (
    select i.refusal from loyalty.bulk_adjustment b
      join loyalty.bulk_adjustment_item i on (i.tenant_id, i.bulk_id) = (b.tenant_id, b.id)
     where a.state = 'APPROVED' and b.tenant_id = a.tenant_id and b.id = (a.body ->> 'bulk')::uuid
       and b.state = 'DONE' and i.state = 'REFUSED' and not exists (
         select from loyalty.bulk_adjustment_item o
          where o.tenant_id = b.tenant_id and o.bulk_id = b.id and o.state <> 'REFUSED')
     order by i.seq limit 1) f on true
"""


async def ask(
    connection: Connection,
    by: Actor,
    client: str,
    *,
    kind: ApprovalKind,
    subject: str,
    body: Mapping[str, Any],
    lifetime: timedelta,
    now: datetime,
) -> Approval:
    """Let something wait for a second person."""
    row = await connection.fetchrow(
        f"""insert into loyalty.approval_request as a (tenant_id, id, kind, subject, body, asked_by,
             asked_client, asked_at, expires_at)
           values (loyalty.tenant(), $1, $2, $3, $4, $5, $6, $7, $8) returning {COLUMNS}""",
        new_id(), kind.value, subject, dict(body), by.subject, client, now, now + lifetime,
    )  # fmt: skip
    approval = _approval(row)
    await _note(connection, by, "ask", approval, now)
    return approval


async def decide(
    connection: Connection,
    by: Actor,
    client: str,
    approval_id: UUID,
    *,
    approve: bool,
    note: str,
    now: datetime,
) -> Approval:
    """Decide what waits, or (once more) what FAILED of corrections; it stays decided only if the
    transaction commits.

    Who asked may withdraw, and never approve.

    :raises Refused: NOT_FOUND, ALREADY_DECIDED, APPROVAL_EXPIRED, SAME_PERSON
    """
    await connection.execute(
        "select from loyalty.approval_request where id = $1 for update", approval_id
    )
    approval = (await by_ids(connection, [approval_id])).get(approval_id)  # as it is by the lock
    if approval is None:
        raise Refused(Code.NOT_FOUND, "there is no such request", field="id")
    own = is_same_person(approval.asked_client, client)
    if approve and own:
        raise Refused(Code.SAME_PERSON, "somebody else must approve what you asked for", field="id")
    if approval.state is not ApprovalState.WAITING and not approval.again:
        raise Refused(
            Code.ALREADY_DECIDED,
            f"it is {approval.state} already",
            field="id",
            details={"state": approval.state},
        )
    if approval.expires_at <= now:
        raise Refused(Code.APPROVAL_EXPIRED, "nobody approved it in time: ask anew", field="id")
    state = ApprovalState.APPROVED
    if not approve:
        state = ApprovalState.WITHDRAWN if own else ApprovalState.REJECTED
    decided = await _decided(
        connection, by, client, approval_id, state, note, now, again=approval.again
    )
    await _note(connection, by, "approve" if approve else "reject", decided, now)
    return decided


async def fail(
    connection: Connection,
    by: Actor,
    client: str,
    approval_id: UUID,
    refused: Refused,
    now: datetime,
) -> Approval:
    """It was approved, and cannot be done any more: it says why, and is over.

    Of corrections that began the ledger's own answers say so: `note_failed`.
    """
    decided = await _decided(
        connection, by, client, approval_id, ApprovalState.FAILED, "", now,
        {"code": refused.code, "field": refused.field, "message": refused.message},
    )  # fmt: skip
    await _note(connection, by, "fail", decided, now)
    return decided


async def note_failed(
    connection: Connection, by: Actor, approval_id: UUID, now: datetime
) -> Approval | None:
    """What was approved just now, where the ledger refused all of it: noted in the trail."""
    found = (await by_ids(connection, [approval_id])).get(approval_id)
    if found is None or not found.again:
        return None
    await _note(connection, by, "fail", found, now)
    return found


async def page(
    connection: Connection,
    *,
    waiting: bool,
    now: datetime,
    beyond: UUID | None,
    count: int,
    backward: bool = False,
) -> Sequence[Approval]:
    """Requests, newest first; only those that wait for somebody now, or all."""
    side, order = (">", "asc") if backward else ("<", "desc")
    rows = await connection.fetch(
        f"""{_SHOWN}
             where ($1::uuid is null or a.id {side} $1)
               and (not $3 or (a.state = 'WAITING' and a.expires_at > $4))
             order by a.id {order} limit $2""",
        beyond, count, waiting, now,
    )  # fmt: skip
    return [_approval(row) for row in rows]


async def by_ids(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, Approval]:
    rows = await connection.fetch(f"{_SHOWN} where a.id = any($1)", list(ids))
    return {row["id"]: _approval(row) for row in rows}


async def _decided(
    connection: Connection,
    by: Actor,
    client: str,
    approval_id: UUID,
    state: ApprovalState,
    note: str,
    now: datetime,
    reason: Mapping[str, Any] | None = None,
    *,
    again: bool = False,
) -> Approval:
    row = await connection.fetchrow(
        f"""update loyalty.approval_request a set state = $2, decided_by = $3, decided_client = $4,
             decided_at = $5, note = $6, reason = $7
            where id = $1 and (state = 'WAITING' or $8 and state = 'APPROVED')
            returning {COLUMNS}""",
        approval_id, state.value, by.subject, client, now, note,
        None if reason is None else dict(reason), again,
    )  # fmt: skip
    if row is None:
        raise Refused(Code.ALREADY_DECIDED, "it is decided already", field="id")
    return _approval(row)


async def _note(
    connection: Connection, by: Actor, action: str, approval: Approval, now: datetime
) -> None:
    await audit.write(
        connection,
        by,
        action=f"approval.{action}",
        subject=f"approval:{approval.id}",
        details={
            "kind": approval.kind, "subject": approval.subject, "askedBy": approval.asked_by,
            "note": approval.note,
        },
        now=now,
    )  # fmt: skip


def _approval(row: Any) -> Approval:
    values = dict(row)
    values["kind"] = ApprovalKind(values["kind"])
    values["state"] = ApprovalState(values["state"])
    if (refusal := values.pop("refusal", None)) is not None:
        why = {key: refusal[key] for key in ("code", "field", "message")}
        values |= {"state": ApprovalState.FAILED, "reason": why, "again": True}
    return Approval(**values)
