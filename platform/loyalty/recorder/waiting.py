"""What waits in a lane: calls of one request and calls of many, each kind with room of its own.

A batch never keeps a till waiting: where both kinds wait, a transaction takes of each, half and
half if there is enough of both. Within a kind, first come, first served; the requests of a call
keep their order, also over several transactions.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from opentelemetry.trace import SpanContext

from loyalty.errors import Code, Refused
from loyalty.recorder.each import Outcome
from loyalty.settlement.request import Request


@dataclass(slots=True, eq=False)
class Call:
    """Requests that are answered together, in their order."""

    requests: Sequence[Request]
    answer: asyncio.Future[list[Outcome]]
    span: SpanContext | None = None  # of who waits, where that is traced
    outcomes: list[Outcome] = field(default_factory=list)
    taken: int = 0

    @property
    def waiting(self) -> int:
        """How many of its requests are not under way yet."""
        return len(self.requests) - self.taken

    def take(self, most: int) -> Sequence[Request]:
        part = self.requests[self.taken : self.taken + most]
        self.taken += len(part)
        return part

    def came_to(self, outcomes: Iterable[Outcome]) -> None:
        """Note what came of its next requests; the last of them answers the caller."""
        self.outcomes += outcomes
        if len(self.outcomes) == len(self.requests) and not self.answer.done():
            self.answer.set_result(self.outcomes)


Part = tuple[Call, Sequence[Request]]


class Waiting:
    """`size` is how many requests a transaction takes, `bound` how many of a kind may wait."""

    def __init__(self, *, size: int, bound: int) -> None:
        self._size = size
        self._ones = _Kind(bound)
        self._many = _Kind(bound)

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._ones.count or self._many.count)

    def put(self, call: Call) -> None:
        """Let a call wait, all of it or nothing.

        :raises Refused: OVERLOADED
        """
        (self._ones if len(call.requests) == 1 else self._many).put(call)

    def take(self) -> list[Part]:
        """What the next transaction records; empty where nothing waits."""
        kept_for_many = min(self._many.count, self._size // 2)
        parts = self._ones.take(self._size - kept_for_many)
        return parts + self._many.take(self._size - len(parts))

    def give_up(self, call: Call, why: Refused) -> None:
        """Answer what is left of a call without trying: what comes later must not overtake it."""
        self._many.drop(call)
        call.came_to([why] * (len(call.requests) - len(call.outcomes)))


class _Kind:
    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._calls: deque[Call] = deque()
        self.count = 0

    def put(self, call: Call) -> None:
        # A call that is larger than the bound is taken where it keeps nobody waiting.
        if self.count and self.count + call.waiting > self._bound:
            raise Refused(Code.OVERLOADED, "too many requests wait for this tenant: try again")
        self._calls.append(call)
        self.count += call.waiting

    def take(self, most: int) -> list[Part]:
        parts: list[Part] = []
        while self._calls and most:
            call = self._calls[0]
            parts.append((call, part := call.take(most)))
            most -= len(part)
            self.count -= len(part)
            if not call.waiting:
                self._calls.popleft()
        return parts

    def drop(self, call: Call) -> None:
        if call in self._calls:
            self._calls.remove(call)
            self.count -= call.waiting
