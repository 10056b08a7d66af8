"""What the tables of this floor hold about a member."""

from loyalty.personal import PersonalRows

_STATE = "one of a few words of ours"
_CONFIG = "words of the tenant's config"
_DELIVERED = "select event_id from loyalty.webhook_delivery where line = $1"

TENANT_ROWS: tuple[PersonalRows, ...] = (
    PersonalRows(
        table="webhook_event", rows=f"id in ({_DELIVERED})", by_kernel=True,
        read_by="loyalty.told_of($1)",
        erased={"body": "the member's name, and what is PERSONAL of the fact"},
        kept={"topic": _STATE},
    ),
    PersonalRows(
        table="webhook_delivery", rows="line = $1",
        kept={"topic": _STATE, "state": _STATE, "problem": "what the tenant's receiver answered"},
    ),
    PersonalRows(table="webhook_line", rows="line = $1", kept={"state": _STATE}),
    PersonalRows(
        table="audit_entry", rows="subject = 'member:' || $1", by_kernel=True,
        erased={
            "details": "what staff wrote about the member",
            "actor": "'erased:' || the member's id, where it was the member",
        },
        kept={
            "role": _STATE, "action": _STATE, "subject": "the member's id",
            "request_id": "a random text of one request",
        },
    ),
    PersonalRows(
        table="bulk_adjustment_item", by_kernel=True,
        rows="fact_id in (select id from loyalty.fact where member_id = $1)"
        " or (named_by = 'id' and member = $1::text)",
        erased={"named_by": "'id'", "member": "the member's id", "note": "''"},
        kept={"state": _STATE, "refusal": "a code of ours"},
    ),
)  # fmt: skip

# Tables of this floor that hold nothing about a member, and why.
IMPERSONAL: dict[str, str] = {
    **dict.fromkeys(
        ("unit", "program", "program_version", "program_secret", "adjustment_reason",
         "approval_policy", "approval_threshold", "point_cost", "retention"),
        "the tenant's setup",
    ),
    **dict.fromkeys(
        ("api_key", "tenant_secret", "tenant_issuer", "webhook_endpoint", "webhook_secret",
         "peer"),
        "who may speak for the tenant, and where it is told",
    ),
    "approval_request": "names an order, a program or the policy, and who of the staff decided",
    "bulk_adjustment": "an order of many corrections; whom it is about stands in its items",
}  # fmt: skip
