"""What the plugin's tables hold about a member, and what goes when the member is erased."""

from loyalty.plugin import PersonalRows

_CONFIG = "words of the tenant's config"

ROWS = (
    PersonalRows(
        table="tiers_standing",
        kept={
            "tier": _CONFIG, "reason": "one of a few words of ours",
            "fingerprint": "a hash of the config that it was worked out by",
            "detail": "tiers, sums and instants that the standing was worked out from",
        },
    ),
)  # fmt: skip
