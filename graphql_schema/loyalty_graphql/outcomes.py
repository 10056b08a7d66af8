"""How a mutation answers: expected refusals in its payload, everything else at the top."""

from collections.abc import Awaitable
from typing import TypeVar

from loyalty.errors import Code, Refused

T = TypeVar("T")

# These concern the request as a whole and are no outcome of what was asked.
AT_THE_TOP = frozenset(
    {
        Code.FORBIDDEN,
        Code.INTERNAL,
        Code.OVERLOADED,
        Code.TENANT_SUSPENDED,
        Code.UNAUTHENTICATED,
        Code.UNAVAILABLE,
    }
)


async def attempted(doing: Awaitable[T]) -> tuple[T | None, list[Refused]]:
    """What came of it, or why it was refused.

    :raises Refused: with a code that belongs at the top of the answer
    """
    try:
        return await doing, []
    except Refused as refused:
        if refused.code in AT_THE_TOP:
            raise
        return None, [refused]
