"""What the plugin's tables hold about a member, and what goes when the member is erased."""

from loyalty.plugin import PersonalRows

_STATE = "one of a few words of ours"
_KEY = "by it the order that counted is known again when goods come back"
_CODE = {"code": "loyalty.pseudonym(code, {secret})"}

ROWS = (
    PersonalRows(table="referral_code", erased={**_CODE, "wished": "null"}),
    PersonalRows(table="referral_share"),
    PersonalRows(
        table="referral",
        rows="(friend_id = $1 or referrer_id = $1)",
        erased={**_CODE, "decided_why": "null"},
        kept={
            "via": _STATE, "verdict": _STATE, "reasons": _STATE, "key": _KEY, "spares": _KEY,
            "decided_by": "who of the staff answers for it",
        },
        # A review is of the friend: what was said of it is in nobody else's copy.
        shown={"decided_why": "case when x.friend_id = $1 then x.decided_why end"},
    ),
    PersonalRows(
        table="referral_side",
        rows="(member_id = $1 or friend_id = $1)",
        kept={"key": _KEY, "cut": _STATE},
    ),
    PersonalRows(
        table="referral_step", kept={"step": "words of the tenant's config", "key": _KEY}
    ),
    PersonalRows(table="referral_signal", deleted=True, hidden=("hash",)),
    PersonalRows(table="referral_past", rows="referrer_id = $1", deleted=True, hidden=("hash",)),
    PersonalRows(
        table="referral_failure",
        rows="""(caller = 'member:' || $1::text
          or caller in (select 'client:member:' || n from unnest({names}) n))""",
        deleted=True,
    ),
)  # fmt: skip

IMPERSONAL = {"referral_key": "what the tenant's hashes are made under"}
