"""Which items of an array are arrays or mappings themselves: the driver asks it of each.

It asks abstract classes, which answer by a function of Python: four times for every row of a
composite type, and that is a fifth to a half of what handing it over takes. Here the classes that
arrays and their items are of come first, and these answer at once.
"""

from collections.abc import Iterable, Sized
from types import MappingProxyType

from asyncpg.protocol import protocol


def ask_plain_classes() -> None:
    """For all connections of this process."""
    protocol.IterableABC = (tuple, list, Iterable)
    protocol.SizedABC = (tuple, list, Sized)
    protocol.MappingABC = (dict, MappingProxyType)  # no others are handed over
