"""What the kernel's own tables hold about a member."""

from loyalty.personal import PersonalRows

# The ids of happenings (orders, returns, activities) are the tenant's, not the person's. They stay:
# by them a repeat is known for one, and changes nothing.
_CONFIG = "words of the tenant's config"
_STATE = "one of a few words of ours"
_KEY = "by it a repeat is known for one, for ever"
_MINE = "account_id in (select id from loyalty.account where owner_id = $1)"
_FACTS = "fact_id in (select id from loyalty.fact where member_id = $1)"
_BLANKED = "what is PERSONAL of its kind of fact"

KERNEL_ROWS: tuple[PersonalRows, ...] = (
    PersonalRows(
        table="member", rows="id = $1", by_kernel=True,
        erased={"external_id": "'erased:' || id", "attributes": "'{}'"},
        kept={"status": _STATE},
    ),
    PersonalRows(table="member_identifier", by_kernel=True, deleted=True),
    PersonalRows(
        table="account", rows="owner_id = $1",
        kept={"owner_kind": _STATE, "unit": _CONFIG, "kind": _STATE},
    ),
    PersonalRows(
        table="fact", by_kernel=True,
        erased={
            "key": "a name of its own, of an enrolment", "payload": _BLANKED,
            "answer": "the note of a correction", "actor": "'member:erased:' || the member's id",
        },
        kept={"kind": _STATE, "scope": _KEY, "request_id": "a random text of one request"},
    ),
    PersonalRows(
        table="decision", rows=_FACTS, by_kernel=True,
        erased={"body": "attributes that were read, and " + _BLANKED},
    ),
    PersonalRows(
        table="command_key", by_kernel=True,
        erased={
            "client": "'member:erased:' || the member's id", "input": _BLANKED,
            "answer": "the note of a correction",
        },
        kept={"key": _KEY, "kind": _STATE},
    ),
    PersonalRows(
        table="posting", rows=_FACTS, by_kernel=True,
        erased={"label": "the reason's code instead of the note of a correction"},
        kept={"unit": _CONFIG, "kind": _STATE, "rule": _CONFIG},
    ),
    PersonalRows(table="lot", rows=_MINE, kept={"rule": _CONFIG, "accounting_class": _STATE}),
    PersonalRows(table="lot_use", rows=_MINE, kept={"kind": _STATE}),
    PersonalRows(table="lot_term", rows=_MINE),
    PersonalRows(
        table="redemption",
        kept={
            "unit": _CONFIG, "state": _STATE, "target": _STATE,
            "order_ref": "the order that it paid for, as the tenant's books name it",
        },
    ),
    PersonalRows(
        table="trait", kept={"name": _CONFIG, "value": "what rules decide by: tiers, choices"}
    ),
    PersonalRows(table="counter", kept={"name": _CONFIG}),
    PersonalRows(
        table="due_fact", by_kernel=True, erased={"payload": _BLANKED},
        kept={"kind": _STATE, "state": _STATE, "reason": "why it was refused: a code of ours"},
    ),
    PersonalRows(table="refused_due", deleted=True),
    PersonalRows(
        table="parked_return", by_kernel=True,
        rows="""exists (select from loyalty.fact f where f.member_id = $1
          and f.scope = 'purchase:' || source and f.key = purchase_external_id)""",
        erased={"payload": _BLANKED},
        kept={
            "source": _CONFIG, "return_id": _KEY, "purchase_external_id": _KEY, "state": _STATE,
            "reason": "why it was refused: a code of ours", "actor": "who sent it: a shop, a till",
        },
    ),
    PersonalRows(
        table="outbox", by_kernel=True, erased={"payload": _BLANKED}, hidden=("trace",),
        kept={"topic": _STATE, "state": _STATE, "trace": "a random text of one request"},
    ),
    PersonalRows(table="erasure", by_kernel=True, erased={"names": "null"},
                 kept={"asked_by": "who of the staff answers for it"}),
)  # fmt: skip

# Tables of the kernel that hold nothing about a member, and why.
IMPERSONAL: dict[str, str] = {
    "installation": "which database this is",
    "migration": "which files were applied",
    "tenant": "the tenant's settings",
    "slug": "the tenant's name",
    "inbox": "ids of deliveries from outside, with what became of them",
    "job": "what runs again and again in a tenant, and how far it came",
    "backtest": "sums over all members; members by their id alone",
    "ledger_audit": "when a ledger was audited",
}
