"""The journal: every call that was sent, with its key and every answer it was given."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

RETRYABLE = frozenset(
    {"INTERNAL", "OVERLOADED", "RATE_LIMITED", "UNAVAILABLE", "TIMEOUT", "LIMIT_EXCEEDED"}
)


class Kind(StrEnum):
    PURCHASE = "purchase"
    REDEMPTION = "redemption"
    BALANCE = "balance"


class Fate(StrEnum):
    """What a client knows after an answer, or after none."""

    DONE = "done"  # acknowledged: it must be in the ledger, once
    REFUSED = "refused"  # for good: it must not be there
    UNKNOWN = "unknown"  # to be sent again under the same key until it is one of the two


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One try: seconds since the load began, how long it took, and what came back.

    `status` 0: nothing came back, and `code` is why.
    """

    at: float
    seconds: float
    status: int
    code: str
    fate: Fate
    payload: Any = None
    retry_after: str | None = None


@dataclass(slots=True, kw_only=True)
class Call:
    """A call under a key. `amount` is what it moves, in whole points."""

    kind: Kind
    key: str
    member: str
    amount: int
    variables: dict[str, Any]
    answers: list[Answer] = field(default_factory=list)

    @property
    def fate(self) -> Fate:
        return self.answers[-1].fate if self.answers else Fate.UNKNOWN


class Journal:
    """Kept in memory and, line by line as it happens, in a file for whoever looks afterwards."""

    def __init__(self, path: Path) -> None:
        self.calls: list[Call] = []
        self._file = path.open("ab", buffering=0)

    def close(self) -> None:
        self._file.close()

    def add(self, call: Call) -> Call:
        self.calls.append(call)
        return call

    def answered(self, call: Call, answer: Answer) -> None:
        call.answers.append(answer)
        line = {"kind": call.kind, "key": call.key, "member": call.member, "amount": call.amount}
        seen = {"at": answer.at, "seconds": answer.seconds, "status": answer.status}
        said = {"code": answer.code, "fate": answer.fate}
        self._file.write(orjson.dumps(line | seen | said) + b"\n")

    @property
    def writes(self) -> list[Call]:
        return [call for call in self.calls if call.kind is not Kind.BALANCE]

    def unknown(self) -> list[Call]:
        return [call for call in self.writes if call.fate is Fate.UNKNOWN]

    def answers(self, *, since: float = 0.0, until: float = float("inf")) -> Iterator[Answer]:
        """All answers to calls that were sent in that time, in seconds since the load began."""
        for call in self.calls:
            yield from (one for one in call.answers if since <= one.at < until)

    def slowest(self, *, since: float = 0.0, until: float = float("inf")) -> float:
        return max((one.seconds for one in self.answers(since=since, until=until)), default=0.0)

    def counts(self, *, since: float = 0.0, until: float = float("inf")) -> dict[str, int]:
        """How many answers of each code."""
        found: dict[str, int] = {}
        for one in self.answers(since=since, until=until):
            found[one.code] = found.get(one.code, 0) + 1
        return found
