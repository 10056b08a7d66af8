"""Garbage collection in a process that serves for long.

What was imported stays for ever, so no collection needs to look at it again. A batch makes some ten
thousand objects and keeps none: at Python's own thresholds that is a collection for every purchase
of it, a quarter of all its time.
"""

import gc

YOUNG_OBJECTS = 20_000  # new ones, before the collector looks at them
YOUNG_ROUNDS = 10
OLD_ROUNDS = 100


def collect_later() -> None:
    """Called before the imports, which make no garbage but have it looked for 350 times."""
    gc.disable()


def collect_seldom() -> None:
    """Called once, when all that stays is imported."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, YOUNG_ROUNDS, OLD_ROUNDS)
