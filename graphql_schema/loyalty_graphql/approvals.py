"""What waits for a second person: shown, approved, rejected."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from loyalty.errors import Code, Refused
from loyalty.setup import Setup
from loyalty_graphql import texts
from loyalty_graphql.access import allow, reached
from loyalty_graphql.admin.changes import changed
from loyalty_graphql.bulk_adjustments import settled
from loyalty_graphql.bulk_shown import BulkAdjustment, shown_bulk
from loyalty_graphql.context import Context, RequestInfo
from loyalty_graphql.enums import exposed
from loyalty_graphql.failures import UserError, user_errors
from loyalty_graphql.ids import node_id, uuid_of
from loyalty_graphql.kept_amounts import in_decimals
from loyalty_graphql.outcomes import attempted
from loyalty_graphql.paging import Connection
from loyalty_graphql.scalars import Json
from loyalty_tenants.desk import approvals, deciding
from loyalty_tenants.desk.approvals import Approval, ApprovalKind, ApprovalState
from loyalty_tenants.principal import Role

INNER = frozenset({"bulk", "program"})  # ids of ours: the subject names what they are of

exposed(
    ApprovalKind,
    description="What a second person is to approve.",
    values={
        ApprovalKind.ADJUSTMENT: "A correction of one balance.",
        ApprovalKind.BULK_ADJUSTMENT: "Corrections of several balances.",
        ApprovalKind.PUBLICATION: "A program's draft, or an earlier version, put in force.",
        ApprovalKind.POLICY: "Another two-person rule.",
    },
)
exposed(
    ApprovalState,
    description="What became of it.",
    values={
        ApprovalState.WAITING: "It waits for a second person.",
        ApprovalState.APPROVED: "It was approved and done, or (many corrections) begun.",
        ApprovalState.REJECTED: "Somebody else said no.",
        ApprovalState.WITHDRAWN: "Who asked took it back.",
        ApprovalState.FAILED: "It was approved and could not be done; `reason` says why. A"
        " correction that the ledger refused may be approved once more while its time lasts.",
        ApprovalState.EXPIRED: "Nobody decided in time.",
    },
)


@strawberry.type
@reached
class ApprovalRequest:
    """Something that is done only if a second person approves it."""

    id: strawberry.ID
    """Opaque and globally unique."""
    kind: ApprovalKind
    """What it is."""
    state: ApprovalState
    """What became of it."""
    subject: str
    """What it is about, as the audit trail names it."""
    details: Json
    """What exactly is to be done; amounts as decimals of their unit."""
    asked_by: str
    """Who asked."""
    asked_at: datetime
    """When."""
    expires_at: datetime
    """Until when it waits."""
    decided_by: str | None
    """Who decided."""
    decided_at: datetime | None
    """When."""
    note: str
    """What the second person said about it."""
    reason: Json | None
    """Why it could not be done: code, field and message."""
    bulk: strawberry.Private[UUID | None]

    @strawberry.field
    async def adjustments(self, info: RequestInfo) -> BulkAdjustment | None:
        """The corrections that wait; null where it is about something else."""
        return None if self.bulk is None else await shown_bulk(info.context, self.bulk)


@strawberry.input
class DecideApprovalInput:
    """A request, and what to say about it."""

    id: strawberry.ID
    """Of the request."""
    note: str = ""
    """Kept with it."""


@strawberry.type
@reached
class ApprovalPayload:
    """A request after it was decided."""

    approval: ApprovalRequest | None
    """As it is now; null where nothing was decided."""
    user_errors: list[UserError]
    """Why nothing was decided or, where it FAILED, why it could not be done."""


@strawberry.type
class ApprovalQuery:
    @strawberry.field
    @allow(Role.ADMIN, Role.OPERATOR, scope="approvals:write")
    async def approval_requests(
        self,
        info: RequestInfo,
        waiting: bool = True,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> Connection[ApprovalRequest]:
        """What a second person is to decide, newest first.

        :param waiting: only what waits now; false: what was decided and what expired, too
        :param first: how many, at most 100
        :param after: a cursor of this list
        :param last: how many from the end, at most 100
        :param before: a cursor of this list
        """
        context, now = info.context, info.context.api.clock.now()
        setup = await context.setup()
        page = context.api.paging.page(
            context.tenant_id, f"Query.approvalRequests:{waiting}",
            first=first, after=after, last=last, before=before,
        )  # fmt: skip
        async with context.api.database.tenant(context.tenant_id, read_only=True) as connection:
            found = await approvals.page(
                connection, waiting=waiting, now=now, count=page.fetch, backward=page.backward,
                beyond=UUID(str(page.beyond[0])) if page.beyond else None,
            )  # fmt: skip
        return context.api.paging.connection(
            page, found, node=lambda one: shown_approval(one, now, setup),
            position=lambda one: (str(one.id),),
        )  # fmt: skip


@strawberry.type
class ApprovalMutation:
    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="approvals:write")
    async def approve_request(
        self, info: RequestInfo, input: DecideApprovalInput
    ) -> ApprovalPayload:
        """Approve what somebody else asked for: it is done at once, and once only. A
        correction that was approved and that the ledger refused may be approved again.

        :param input: which
        """
        return await _payload(info.context, input, approve=True)

    @strawberry.mutation
    @allow(Role.ADMIN, Role.OPERATOR, scope="approvals:write")
    async def reject_request(
        self, info: RequestInfo, input: DecideApprovalInput
    ) -> ApprovalPayload:
        """Say no to what somebody asked for, or take back what you asked for yourself; also a
        correction that was approved and FAILED.

        :param input: which
        """
        return await _payload(info.context, input, approve=False)


def shown_approval(approval: Approval, now: datetime, setup: Setup) -> ApprovalRequest:
    body: Mapping[str, Any] = approval.body
    return ApprovalRequest(
        id=node_id("ApprovalRequest", approval.id), kind=approval.kind, state=approval.at(now),
        subject=approval.subject,
        details=Json(_details(body, setup)),
        asked_by=approval.asked_by, asked_at=approval.asked_at, expires_at=approval.expires_at,
        decided_by=approval.decided_by, decided_at=approval.decided_at, note=approval.note,
        reason=None if approval.reason is None else Json(dict(approval.reason)),
        bulk=UUID(body["bulk"]) if "bulk" in body else None,
    )  # fmt: skip


def _details(body: Mapping[str, Any], setup: Setup) -> dict[str, Any]:
    """Without ids of ours."""
    return in_decimals({key: body[key] for key in body if key not in INNER}, setup)


async def _payload(
    context: Context, given: DecideApprovalInput, *, approve: bool
) -> ApprovalPayload:
    done, refused = await attempted(_decided(context, given, approve=approve))
    if done is None:
        return ApprovalPayload(approval=None, user_errors=user_errors(refused))
    approval, why = done
    shown = shown_approval(approval, context.api.clock.now(), await context.setup())
    return ApprovalPayload(approval=shown, user_errors=user_errors([why] if why else []))


async def _decided(
    context: Context, given: DecideApprovalInput, *, approve: bool
) -> tuple[Approval, Refused | None]:
    approval_id = uuid_of(given.id, "ApprovalRequest", field="id")
    note = given.note and texts.words(given.note, field="note", longest=1000)
    api, client, now = context.api, context.who.client, context.api.clock.now()
    try:
        async with api.database.tenant(context.tenant_id) as connection:
            approval = await deciding.decide(
                connection, api.configs, context.actor, client, approval_id,
                approve=approve, note=note, now=now,
            )  # fmt: skip
    except deciding.CannotBeDone as cannot:
        async with api.database.tenant(context.tenant_id) as connection:
            failed = await approvals.fail(
                connection, context.actor, client, approval_id, cannot.refused, now
            )
        return failed, cannot.refused
    await changed(context, context.tenant_id)
    if not approve or "bulk" not in approval.body:
        return approval, None
    await settled(context, UUID(approval.body["bulk"]))
    async with api.database.tenant(context.tenant_id) as connection:
        undone = await approvals.note_failed(connection, context.actor, approval_id, now)
    if undone is None or undone.reason is None:
        return approval, None
    why = undone.reason
    return undone, Refused(Code(why["code"]), why["message"], field=why["field"])
