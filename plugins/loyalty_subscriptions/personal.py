"""What the plugin's tables hold about a member, and what goes when the member is erased."""

from loyalty.plugin import PersonalRows

_STATE = "one of a few words of ours"
_CONFIG = "words of the tenant's config"
_INVOICE = "by it the books, and a notice that comes twice, know the payment"
_REFERENCE = {"reference": "loyalty.pseudonym(reference, {secret})"}

ROWS = (
    PersonalRows(
        table="subscription",
        erased=_REFERENCE,
        kept={
            "provider": _STATE, "plan": _CONFIG, "paid_in": "a currency or unit",
            "paid_invoice": _INVOICE, "next_plan": _CONFIG, "plan_told": _CONFIG,
            "will_told": _STATE, "status": _STATE,
        },
    ),
    PersonalRows(
        table="subscription_payment",
        erased=_REFERENCE,
        kept={
            "provider": _STATE, "invoice": _INVOICE, "plan": _CONFIG,
            "paid_in": "a currency or unit",
        },
    ),
)  # fmt: skip
