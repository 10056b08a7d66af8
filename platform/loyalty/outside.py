"""The way out of the building: one request to an address that a tenant named.

Who carries it out is decided by floors above, and where it may go at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

ANSWER_MAX = 1024 * 1024


class Unreached(Exception):
    """Nobody answered, or not in time, or we do not go there. Whether the request arrived is not
    known, unless it was never sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came back; at most a megabyte of it."""

    status: int
    body: bytes


class Way(Protocol):
    async def post(
        self, url: str, *, headers: Mapping[str, str], content: bytes, seconds: float
    ) -> Answered:
        """Send a body and hear the answer out, all within `seconds`.

        :raises Unreached: nobody knows what came of it
        """

    def check(self, url: str) -> None:
        """:raises ValueError: no address that we would go to"""
