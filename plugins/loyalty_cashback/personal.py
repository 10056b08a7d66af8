"""What the plugin's tables hold about a member, and what goes when the member is erased."""

from loyalty.plugin import PersonalRows

ROWS = (
    PersonalRows(
        table="cashback_payout",
        erased={"destination": "null", "reference": "null", "reason": "null"},
        kept={
            "way": "one of a few words of ours", "state": "one of a few words of ours",
            "day": "a day", "unit": "words of the tenant's config", "currency": "a currency",
        },
    ),
)  # fmt: skip
