"""What the recorder is asked and what it answers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from loyalty.codec import Codec
from loyalty.facts import Fact, FactKey, MemberRef
from loyalty.json_text import JsonText
from loyalty.owners import Holder, Owner, parsed


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A command's idempotency key, in the name space of one client (it outlives its API keys)."""

    client: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Follows:
    """Where a durable follow-on fact comes from."""

    due_id: UUID
    cause_id: UUID
    root_id: UUID
    hop: int


@dataclass(frozen=True, kw_only=True)
class Request:
    """One fact or command to record. A command brings a key; a fact has one by nature."""

    fact: Fact
    actor: str
    request_id: str = ""
    client_key: ClientKey | None = None
    follows: Follows | None = None
    key: FactKey | None = None  # for facts that only their finder can name (jobs, parked returns)
    cause_id: UUID | None = None
    parked_id: UUID | None = None
    any_time: bool = False  # may lie outside the tenant's backdating window
    while_suspended: bool = False  # asked by an operator, or follows from what one did
    newest: bool = False  # a return that named no revision; its fact names the newest one
    replaces: int | None = None  # the newest revision there is of a corrected purchase
    alone_up_to: int | None = None  # what of a member's unit one person corrects in a day, in all
    correcting: bool = False  # a return that no goods came back with: what was sold was told wrong

    @cached_property
    def natural_key(self) -> FactKey | None:
        if self.follows is not None:
            return FactKey("follow", str(self.follows.due_id))
        return self.key or self.fact.natural_key

    def payload(self, codec: Codec) -> Mapping[str, Any]:
        """What is kept: the fact as it was sent. Which revision was the newest is no part of it.

        It is worked out once; nobody may change it.
        """
        known: dict[str, JsonText] = vars(self)  # where cached properties are kept, too
        if (written := known.get("written out")) is None:
            payload = codec.dump(self.fact)
            if self.newest:
                payload["purchase_revision"] = None
            written = known["written out"] = JsonText(payload)
        return written


class Recorded(NamedTuple):
    """The outcome of a request that stands. `answer` is what was answered the first time."""

    fact_id: UUID
    kind: str
    member_id: UUID | None
    replayed: bool
    answer: Mapping[str, Any]
    body: Mapping[str, Any] | None = None  # the decision, of a preview


# Whom a preview is about that names nobody: somebody new. (Id 0 stands for no member at all.)
GUEST = MemberRef(id=UUID(int=1))


class Change(NamedTuple):
    """A balance moved, or lots of it were given other terms: the new version of its unit."""

    owner: Holder
    unit: str
    version: int
    fact_id: UUID

    def told(self) -> dict[str, Any]:
        """As the answer to a request says it."""
        whose = "owner" if isinstance(self.owner, Owner) else "memberId"
        return {whose: str(self.owner), "unit": self.unit, "version": self.version}


def moved(answer: Mapping[str, Any]) -> Iterator[tuple[Holder, str, int]]:
    """Whose balances, and of which unit, an answer says that it moved, each with its version."""
    for one in answer.get("balances", ()):
        yield parsed(one.get("owner") or one["memberId"]), one["unit"], one["version"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What a batch changed, told after its commit."""

    tenant_id: UUID
    changes: tuple[Change, ...]
