"""One root fact being settled: what it was answered, what it granted, what it left behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
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
from loyalty.view import NOTHING, GrantView, Measured, MemberView, TraitValue

FACTS_MAX = 2_000  # one fact may set off at most this many, each at most HOPS_MAX away from it:
HOPS_MAX = 8  # a circle of rules must stop, and loudly
NOBODY: frozenset[str] = frozenset()


@dataclass(slots=True)
class Owed:
    """What an account owed before a correction, and what its programs say of more than that."""

    before: int
    program_id: UUID
    policies: set[TakeBack] = field(default_factory=set)


@dataclass(slots=True)
class Owing:
    """How much an account may owe at most when a return is settled: what it did before, and what
    programs let it owe. What others let nobody owe is `borne` by them, by take, or `refused`."""

    most: int
    refused: bool = False
    borne: dict[str, int] = field(default_factory=dict)


Key = tuple[str, str, str]
"""A program, a rule and a unit."""


@dataclass(slots=True)
class Net:
    """Of a rule, what the shares of a return `missed` of their own lots, what the return `gave`,
    and what has `ended` that nobody took. What was missed is `covered` by what is given, so that
    neither moves anything, or it is taken `late`, of what ended."""

    missed: int = 0
    gave: int = 0
    ended: dict[datetime, int] = field(default_factory=dict)  # by when it was given
    covered: int = 0
    late: int = 0
    left_out: int = 0  # of what is given, for it covers


class Found(NamedTuple):
    """What settling a return has shown, for settling it again: what the program bears, by take, and
    by rule how much of what is missed is covered, and late."""

    bears: Mapping[str, int] = NOTHING
    nets: Mapping[Key, tuple[int, int]] = NOTHING


NOTHING_FOUND = Found()


class Settling:
    """The fact, where it stands in its batch, and the rows that only it brings."""

    __slots__ = (
        "answer", "at", "batch", "body", "counted", "counts", "depth", "drawn", "earned", "emitted",
        "fact", "fact_id", "found", "granters", "hop", "index", "kind", "left", "measured",
        "member", "moved", "nets", "of", "outbox", "owed", "owing", "queue", "request", "returns",
        "sequence", "shown", "stretch", "taken", "told_of", "touched", "traits",
    )  # fmt: skip

    def __init__(
        self, batch: Batch, request: Request, index: int, found: Found = NOTHING_FOUND
    ) -> None:
        # Written out: one is made for every fact, and a dataclass calls a factory for each field.
        self.batch = batch
        self.request = request
        self.index = index
        self.fact: Fact = request.fact
        self.at: datetime = request.fact.occurred_at
        self.stretch = batch.stretch(self.at)  # what is in force then
        self.hop = request.follows.hop if request.follows else 0
        self.fact_id = new_id()
        self.member: MemberView | None = None
        # that one, and as rules see it
        self.shown: tuple[MemberView, MemberView] | None = None
        self.kind: str | None = None  # where the fact is not recorded as what it was sent as
        self.returns: Sale | None = None
        # of a return: measured before it, and now
        self.left: tuple[Measured, Measured] | None = None
        self.queue: list[tuple[Fact, int, int, frozenset[str]]] = []
        self.depth = 0
        self.granters = NOBODY  # programs whose grants led to what is going on
        self.of = 0  # which of `measured` set off what is going on
        self.measured: list[tuple[Fact, list[GrantView]]] = []
        self.earned: list[dict[str, Any]] = []
        self.taken: list[dict[str, Any]] = []
        self.drawn: list[tuple[int, Lot]] = []  # by index of the grant, what its shares took from
        self.answer: dict[str, Any] = {}
        self.body: dict[str, Any] = {}
        self.outbox: list[tuple[str, dict[str, Any]]] = []
        self.touched: set[tuple[Holder, str]] = set()
        self.traits: list[tuple[UUID, str, TraitValue]] = []
        self.counts: list[tuple[str, Counter, datetime, int]] = []
        self.counted = 0  # how many of `measured` every counter has measured
        self.told_of = 0  # how many of `counts` the rules were told of
        self.moved: set[str] = set()  # programs whose counters a correction moved
        self.owed: dict[tuple[Holder, str], Owed] = {}
        self.owing: dict[tuple[Holder, str], Owing] = {}  # what a return took and was not there
        self.found = found
        self.nets: dict[Key, Net] = {}
        self.sequence = 0
        self.emitted = 0

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
        return Cause(self.fact_id, at or self.at, program_id, rule, label)

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

    @property
    def returned_at(self) -> datetime:
        """When the goods were bought that come back."""
        return self.at if self.returns is None else self.returns.fact.occurred_at

    def net(self, program: str, rule: str, unit: str) -> Net:
        return self.nets.setdefault((program, rule, unit), Net())

    def holder(self, unit: str) -> Holder:
        """Whose account the member's unit is kept in: the same throughout the batch."""
        member = self.member or self.the_member
        return self.batch.ownership.holder(member.id, unit)

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
        accounts, touched = self.batch.book.accounts, list(self.touched)
        if len(touched) > 1:
            touched.sort(key=lambda one: (str(one[0]), one[1]))
        changes = []
        for owner, unit in touched:
            version = 0
            for kind in (MAIN, HELD):
                if (account := accounts.get((owner, unit, kind))) is not None:
                    version += account.version + account.terms
            changes.append(Change(owner, unit, version, self.fact_id))
        return changes
