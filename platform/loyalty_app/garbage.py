"""Garbage collection in a process that serves for long.

What was imported stays for ever, so no collection needs to look at it again. A batch of 500 has
some forty thousand objects at its height and keeps none: with a threshold beneath that, the
collector looks at them while all are in use and finds nothing, a tenth to a quarter of all the
time.

What is in use while it looks is called old, and is garbage soon after. The old are looked at often
for that: they are few, as what was imported is not among them, so it takes milliseconds. Seldom,
and a process grew by half in its first hundred thousand requests.
"""

import gc

YOUNG_OBJECTS = 60_000  # new ones, before the collector looks at them
YOUNG_ROUNDS = 5
OLD_ROUNDS = 5


def collect_later() -> None:
    """Called before the imports, which make no garbage but have it looked for 350 times."""
    gc.disable()


def collect_seldom() -> None:
    """Called once, when all that stays is imported.

    Nothing is collected before: of 200,000 objects a thousand are garbage, which to look for takes
    longer than to keep.
    """
    gc.enable()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_ROUNDS, OLD_ROUNDS)
