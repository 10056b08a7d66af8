"""One root fact being settled: what it was answered, what it granted, what it left behind."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.effects import TakeBack
from loyalty.errors import Code, Refused
from loyalty.facts import Fact, Granted
from loyalty.ids import new_id
from loyalty.ledger.account import HELD, MAIN
from loyalty.ledger.book import Cause
from loyalty.ledger.lots import Lot
from loyalty.owners import Holder
from loyalty.plugin import Counter
from loyalty.settlement.batch import Batch, Redemption
from loyalty.settlement.request import Change, Request
from loyalty.settlement.sale import Sale
from loyalty.view import GrantView, Measured, MemberView, TraitValue

FACTS_MAX = 2_000  # one fact may set off at most this many, each at most HOPS_MAX away from it:
HOPS_MAX = 8  # a circle of rules must stop, and loudly


@dataclass(slots=True)
class Owed:
    """What an account owed before a correction, and what its programs say of more than that."""

    before: int
    program_id: UUID
    policies: set[TakeBack] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Settling:
    """The fact, where it stands in its batch, and the rows that only it brings."""

    batch: Batch
    request: Request
    index: int
    fact_id: UUID = field(default_factory=new_id)
    member: MemberView | None = None
    shown: tuple[MemberView, MemberView] | None = None  # that one, and as rules see it
    kind: str | None = None  # where the fact is not recorded as what it was sent as
    returns: Sale | None = None
    left: tuple[Measured, Measured] | None = None  # of a return: measured before it, and now
    queue: deque[tuple[Fact, int, int, frozenset[str]]] = field(default_factory=deque)
    depth: int = 0
    granters: frozenset[str] = frozenset()  # programs whose grants led to what is going on
    of: int = 0  # which of `measured` set off what is going on
    measured: list[tuple[Fact, list[GrantView]]] = field(default_factory=list)
    earned: list[dict[str, Any]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    outbox: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    touched: set[tuple[Holder, str]] = field(default_factory=set)
    traits: list[tuple[UUID, str, TraitValue]] = field(default_factory=list)
    counts: list[tuple[str, Counter, datetime, int]] = field(default_factory=list)
    counted: int = 0  # how many of `measured` every counter has measured
    told_of: int = 0  # how many of `counts` the rules were told of
    moved: set[str] = field(default_factory=set)  # programs whose counters a correction moved
    owed: dict[tuple[Holder, str], Owed] = field(default_factory=dict)
    sequence: int = 0
    emitted: int = 0

    @property
    def fact(self) -> Fact:
        return self.request.fact

    @property
    def at(self) -> datetime:
        return self.request.fact.occurred_at

    @property
    def hop(self) -> int:
        return self.request.follows.hop if self.request.follows else 0

    @property
    def the_member(self) -> MemberView:
        if self.member is None:
            raise Refused(Code.MEMBER_NOT_FOUND, "name a member", field="member")
        return self.member

    def cause(
        self,
        *,
        program_id: UUID | None = None,
        rule: str | None = None,
        label: str | None = None,
        at: datetime | None = None,
    ) -> Cause:
        """Why value moves; at the fact's own instant unless it says another."""
        return Cause(
            fact_id=self.fact_id, at=at or self.at, program_id=program_id, rule=rule, label=label
        )

    def follow(self, fact: Fact, *, measured: bool = False) -> None:
        """Let the rules react to another fact of this settlement; `measured` by counters."""
        self.emitted += 1
        if self.emitted > FACTS_MAX or self.depth >= HOPS_MAX:
            raise RuntimeError(f"{self.fact.KIND} set off too many facts: do rules go in a circle?")
        of = self.of
        if measured:
            of = len(self.measured)
            self.measured.append((fact, []))
        granters = self.granters | {fact.program} if isinstance(fact, Granted) else self.granters
        self.queue.append((fact, self.depth + 1, of, granters))

    def holder(self, unit: str) -> Holder:
        """Whose account the member's unit is kept in: the same throughout the batch."""
        return self.batch.ownership.holder(self.the_member.id, unit)

    def touch(self, owner: Holder, unit: str) -> None:
        self.touched.add((owner, unit))

    def lots_of(self, owner: Holder, unit: str, parts: Any) -> list[tuple[Lot, int]]:
        """The loaded lots that redemption parts name."""
        account = self.batch.book.account(owner, unit, MAIN)
        lots = {lot.id: lot for lot in self.batch.book.open_lots(account)}
        return [(lots[lot_id], part) for lot_id, part in parts]

    def redemption(self, redemption_id: UUID) -> Redemption:
        found = self.batch.redemptions.get(redemption_id)
        if found is None or (self.member is not None and found.member_id != self.member.id):
            raise Refused(Code.NOT_FOUND, "there is no such redemption", field="redemptionId")
        return found

    def changes(self) -> list[Change]:
        """The new version of every balance this fact moved, of its postings and terms together."""
        look, changes, touched = self.batch.book.look, [], list(self.touched)
        if len(touched) > 1:
            touched.sort(key=lambda one: (str(one[0]), one[1]))
        for owner, unit in touched:
            version = 0
            for kind in (MAIN, HELD):
                if (account := look(owner, unit, kind)) is not None:
                    version += account.version + account.terms
            changes.append(Change(owner, unit, version, self.fact_id))
        return changes
