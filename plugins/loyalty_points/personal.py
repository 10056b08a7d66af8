"""What the plugin's tables hold about a member, and what goes when the member is erased."""

from loyalty.plugin import PersonalRows

ROWS = (
    PersonalRows(
        table="points_reward",
        kept={
            "reward": "words of the tenant's config",
            "order_ref": "the order that it paid for, as the tenant's books name it",
            "terms": "what the reward was by the config of its time",
        },
    ),
)
