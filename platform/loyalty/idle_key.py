"""Keys of a config that promise something and do nothing, or do not keep what was promised."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

IdleKey = tuple[tuple[int | str, ...], str]
"""Its path, and what to do."""


class Means(NamedTuple):
    """What a tenant has for rules to give and to be paid in: the decimal places of its units, and
    the currencies that it takes."""

    places: Mapping[str, int]
    currencies: Sequence[str]
