"""How long the machines run: what CI affords, or what the environment says."""

import os

CHOSEN = "LOYALTY_PROPERTY_EXAMPLES" in os.environ  # a longer run explores at random
STEPS = int(os.environ.get("LOYALTY_PROPERTY_STEPS", "30"))


def sized(examples: int) -> int:
    """So many examples, unless the environment asks for another number."""
    return int(os.environ.get("LOYALTY_PROPERTY_EXAMPLES", examples))
