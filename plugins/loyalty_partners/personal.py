"""What the plugin's tables hold about a member, and what goes when the member is erased."""

from loyalty.plugin import PersonalRows

_STATE = "one of a few words of ours"
_CONFIG = "words of the tenant's config"

ROWS = (
    PersonalRows(table="partners_link", kept={"state": _STATE}),
    PersonalRows(table="partners_link_code", deleted=True, hidden=("hash",)),
    PersonalRows(table="partners_quote"),
    PersonalRows(
        table="partners_movement",
        kept={
            "kind": _STATE, "unit": _CONFIG, "currency": "a currency",
            "ref": "the order or payment, as both brands' books name it",
        },
    ),
    PersonalRows(
        table="partners_dispute",
        rows="movement_id in (select id from loyalty.partners_movement where member_id = $1)",
        erased={"reason": "'erased'"},
        kept={"state": _STATE},
    ),
    PersonalRows(
        table="partners_leg",
        rows="id in (select id from loyalty.partners_movement where member_id = $1)",
        kept={
            "state": _STATE, "reversal": _STATE, "problem": "what a partner's server answered",
        },
    ),
    PersonalRows(
        table="partners_write_off",
        rows="id in (select id from loyalty.partners_movement where member_id = $1)",
        erased={"reason": "'erased'"},
        kept=dict.fromkeys(
            ("asked_by", "asked_client", "approved_by", "approved_client"), "who of the staff"
        ),
    ),
    PersonalRows(table="partners_link_failure", rows="client = $1::text", deleted=True),
)  # fmt: skip

IMPERSONAL = dict.fromkeys(
    ("partners_agreement", "partners_terms", "partners_statement", "partners_pack",
     "partners_fund", "partners_day"),
    "between the two brands",
)  # fmt: skip
