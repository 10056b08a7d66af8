"""What a batch knows while it settles: loaded once under the locks, then kept in step in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from loyalty.agenda import Agenda, Stretch
from loyalty.facts import FactKey, MemberRef
from loyalty.ids import NIL
from loyalty.ledger.book import Book
from loyalty.owners import Holder
from loyalty.plugin_set import PluginSet
from loyalty.settlement.need_period import Period
from loyalty.settlement.ownership import EVERYBODYS_OWN, Ownership
from loyalty.settlement.request import ClientKey, Recorded
from loyalty.settlement.sale import Sale
from loyalty.setup import Setup
from loyalty.view import MemberView, TraitValue

Corrected = tuple[UUID, str, bool]
"""A member, a unit, and whether it was given: what was corrected by hand of it in a day."""


Summed = tuple[str, datetime, datetime]
"""A counter as it is stored, over the window [since, before)."""


class Known(NamedTuple):
    """An earlier fact or command under the same key, with its input and first answer."""

    fact_id: UUID
    kind: str
    member_id: UUID | None
    input: Mapping[str, Any]
    answer: Mapping[str, Any]

    def replayed(self) -> Recorded:
        return Recorded(
            fact_id=self.fact_id,
            kind=self.kind,
            member_id=self.member_id,
            replayed=True,
            answer=self.answer,
        )


@dataclass(slots=True, kw_only=True)
class Redemption:
    """A redemption, and which part of which lot it took (`parts`, in burn order).

    `owner` is whose lots these are: it stays so, wherever the member's unit is kept by now.
    """

    id: UUID
    member_id: UUID
    owner: Holder
    program_id: UUID
    unit: str
    state: str
    amount: int
    captured: int
    target: str
    order: str | None
    hold_fact_id: UUID
    capture_fact_id: UUID | None
    held_until: datetime | None
    reversible: bool
    grace: timedelta | None
    created_at: datetime
    parts: tuple[tuple[UUID, int], ...] = ()

    def row(self) -> tuple[Any, ...]:
        return (
            self.id, self.member_id, self.program_id, self.unit, self.state, self.amount,
            self.captured, self.target, self.order, self.hold_fact_id, self.capture_fact_id,
            self.held_until, self.reversible, self.grace, self.created_at,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A return that waits for its purchase."""

    id: UUID
    source: str
    return_id: str
    purchase_external_id: str
    payload: Mapping[str, Any]
    occurred_at: datetime
    actor: str


@dataclass(slots=True, kw_only=True)
class Batch:
    """The state a batch settles on. A fact sees what the facts before it did.

    `periods` are what members bought in periods that a return asked for; None: nobody can say.
    """

    setup: Setup
    plugins: PluginSet
    now: datetime
    book: Book
    members: dict[UUID, MemberView] = field(default_factory=dict)
    refs: dict[MemberRef, UUID | None] = field(default_factory=dict)
    known: dict[FactKey, Known] = field(default_factory=dict)
    commands: dict[ClientKey, Known] = field(default_factory=dict)
    sales: dict[FactKey, Sale] = field(default_factory=dict)
    redemptions: dict[UUID, Redemption] = field(default_factory=dict)
    parked: dict[UUID, Parked] = field(default_factory=dict)
    made: dict[FactKey, bool] = field(default_factory=dict)  # facts settled by this very batch
    bought: dict[str, bool] = field(default_factory=dict)  # purchases among them, by external id
    enrolled: dict[UUID, bool] = field(default_factory=dict)  # members that it enrolled
    traits: dict[UUID, list[tuple[str, TraitValue]]] = field(default_factory=dict)
    counters: dict[Summed, dict[UUID, int]] = field(default_factory=dict)  # by whom it is about
    by_bucket: dict[tuple[str, UUID], Sequence[tuple[datetime, int]]] = field(default_factory=dict)
    counted: dict[tuple[str, UUID], list[tuple[datetime, int]]] = field(default_factory=dict)
    corrected: dict[Corrected, int] = field(default_factory=dict)
    periods: Mapping[Period, Sequence[Sale]] | None = field(default_factory=dict)
    needs: Mapping[tuple[int, str], Mapping[str, Any]] = field(default_factory=dict)
    writes: list[Any] = field(default_factory=list)
    written: dict[tuple[UUID, UUID | None], list[Any]] = field(default_factory=dict)
    ownership: Ownership = EVERYBODYS_OWN
    spent: list[Any] = field(default_factory=list)  # of no more use: freed when there is time
    preview: bool = False
    _agenda: Agenda | None = None

    def stretch(self, at: datetime) -> Stretch:
        """What is in force at an instant."""
        agenda = self._agenda
        if agenda is None or agenda.setup is not self.setup:
            agenda = self._agenda = self.plugins.agenda(self.setup)
        return agenda.stretch(at)

    def member_of(self, ref: MemberRef | None) -> MemberView | None:
        if ref is None:
            return None
        ident = ref.id if ref.id in self.members else self.refs.get(ref)
        return None if ident is None else self.members.get(ident)

    def trait(self, member_id: UUID, name: str, at: datetime) -> TraitValue | None:
        """The trait in force at an instant: the one that began last."""
        found = None
        for known, value in self.traits.get(member_id, ()):
            if known != name or value.since > at or (value.until and value.until <= at):
                continue
            if found is None or value.since >= found.since:
                found = value
        return found

    def counter(self, name: str, member_id: UUID | None, window: tuple[datetime, datetime]) -> int:
        """The sum over a window: as loaded, plus what earlier facts of this batch added.

        :raises LookupError: it was not loaded; to read it as nothing would overspend a budget
        """
        since, before = window
        subject = member_id or NIL
        loaded = 0 if subject in self.enrolled else self.counters[name, since, before][subject]
        added = self.counted.get((name, subject), ())
        if not added:
            return loaded
        return loaded + sum(delta for bucket, delta in added if since <= bucket < before)

    def buckets(
        self, name: str, member_id: UUID | None, since: datetime
    ) -> list[tuple[datetime, int]]:
        """The buckets from `since` on: as loaded, then what earlier facts of this batch added.

        :raises LookupError: they were not loaded
        """
        subject = member_id or NIL
        loaded = () if subject in self.enrolled else self.by_bucket[name, subject]
        return [row for row in (*loaded, *self.counted.get((name, subject), ())) if row[0] >= since]

    def let_go(self) -> None:
        """It is written: what only settling needs is freed."""
        self.spent.clear()
        self.book = Book(tenant_id=self.book.tenant_id, opened=self.book.opened)
        self.members, self.refs, self.counters, self.by_bucket = {}, {}, {}, {}
        if not self.parked:  # what waited for a purchase of this batch is found by these
            self.known, self.made, self.bought = {}, {}, {}

    def count(self, name: str, member_id: UUID | None, bucket: datetime, delta: int) -> None:
        subject = member_id or NIL
        self.book.add(self.counted.setdefault((name, subject), []), (bucket, delta))
        self.book.rows.counters.append((name, subject, bucket, delta))
