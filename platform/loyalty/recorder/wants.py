"""What a batch asks the database for: locks and rows, and nothing that no fact of it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from loyalty import commands, facts
from loyalty.facts import Fact, FactKey, MemberRef
from loyalty.owners import Holder, Owner, kind_and_id
from loyalty.plugin import Question
from loyalty.plugin_set import PluginSet, Turn
from loyalty.recorder.looks import Looks, Sums, looks_of
from loyalty.settlement.batch import Summed
from loyalty.settlement.need_counter import CounterWindow
from loyalty.settlement.need_period import Period
from loyalty.settlement.request import ClientKey, Request
from loyalty.settlement.reversing import sale_key
from loyalty.settlement.settle import REDEMPTION_COMMANDS
from loyalty.setup import Setup

RefRow = tuple[str, str, str]  # kind, value, scope
DUE = -1  # in place of an amount
FEW = 50  # sums; as many are looked up one by one where the batch is opened, for no other message


@dataclass(slots=True)
class More:
    """What an earlier attempt at the batch found missing: accounts that are wanted whole, by owner
    and unit, counters, and what members bought in a period."""

    lots: set[tuple[Holder, str]] = field(default_factory=set)
    counters: set[CounterWindow] = field(default_factory=set)
    periods: set[Period] = field(default_factory=set)


@dataclass(slots=True)
class Wants:
    """The arguments of `loyalty.open_batch`, gathered over a batch's requests."""

    refs: dict[RefRow, int] = field(default_factory=dict)
    members: dict[MemberRef, int] = field(default_factory=dict)
    natural: dict[FactKey, None] = field(default_factory=dict)
    clients: dict[ClientKey, None] = field(default_factory=dict)
    sales: dict[FactKey, None] = field(default_factory=dict)
    redemptions: dict[UUID, None] = field(default_factory=dict)
    lots: dict[tuple[int, str], tuple[int | None, datetime]] = field(default_factory=dict)
    own_lots: dict[tuple[int, str], datetime] = field(default_factory=dict)
    due_lots: dict[tuple[int, str], datetime] = field(default_factory=dict)
    traits: dict[str, None] = field(default_factory=dict)
    counters: dict[Summed, None] = field(default_factory=dict)  # of all members together
    sums: dict[int, tuple[Sums, dict[int, None]]] = field(default_factory=dict)  # of which members
    parked: dict[FactKey, None] = field(default_factory=dict)
    owners: dict[Owner, None] = field(default_factory=dict)
    touching: dict[int, int] = field(default_factory=dict)
    looks: dict[int, Looks] = field(default_factory=dict)  # of all its facts, each once

    def ref(self, kind: str, value: str, scope: str = "") -> int:
        """The ordinal (from 1) under which the database answers who this is."""
        return self.refs.setdefault((kind, value, scope), len(self.refs) + 1)

    def member(self, ref: MemberRef) -> int:
        if (known := self.members.get(ref)) is None:
            if ref.id is not None:
                known = self.ref("i", str(ref.id))
            elif ref.external_id is not None:
                known = self.ref("e", ref.external_id)
            else:
                known = self.ref("n", ref.identifier or "")
            self.members[ref] = known
        return known

    def holder(self, holder: Holder) -> int:
        """The ordinal of the owner of an account as it is, member or not."""
        kind, ident = kind_and_id(holder)
        if isinstance(holder, Owner):
            self.owners[holder] = None
        return self.ref("o", str(ident), kind)

    def want_lots(self, ref: int, unit: str, amount: int | None, at: datetime) -> None:
        """All open lots where more than one request asks, or one does not say how much."""
        known = (ref, unit) in self.lots
        self.lots[ref, unit] = (None if known else amount, at)

    def want_own_lots(self, ref: int, unit: str, at: datetime) -> None:
        """All open lots of just this account, whoever keeps the member's unit now."""
        self.own_lots[ref, unit] = at

    def want_due_lots(self, ref: int, unit: str, at: datetime) -> None:
        """The lots of just this account that have ended by `at`."""
        self.due_lots[ref, unit] = max(at, self.due_lots.get((ref, unit), at))

    def want_sums(self, ref: int | None, sums: Sums) -> None:
        """Counters over their windows: all that `sums` names, the member's own where it is about
        one. Facts of a kind and day come with the same object, which is kept once."""
        self.counters.update(dict.fromkeys(sums.shared))
        if ref is not None and sums.own:
            self.sums.setdefault(id(sums), (sums, {}))[1][ref] = None

    @property
    def sums_are_few(self) -> bool:
        return sum(len(sums.own) * len(refs) for sums, refs in self.sums.values()) <= FEW

    def summed(self) -> list[tuple[int | None, Summed]]:
        """What `open_batch` adds up, by ordinal from 1: of all members together, which it locks
        (no ref), and of single ones where these are few."""
        found: list[tuple[int | None, Summed]] = [(None, summed) for summed in self.counters]
        if self.sums_are_few:
            for sums, refs in self.sums.values():
                found += [(ref, summed) for ref in refs for summed in sums.own]
        return found

    def redirect(self, ids: Sequence[UUID | None], owners: Mapping[Question, Owner]) -> None:
        """Want of another owner's account what was wanted of members whose unit it keeps.

        `ids` are the members by ordinal, none where a ref names no member.
        """
        self.owners.update(dict.fromkeys(owners.values()))
        touching = dict(self.touching)
        for (ref, unit), (amount, at) in list(self.lots.items()):
            if (member := ids[ref - 1]) is None or (owner := owners.get((member, unit))) is None:
                continue
            del self.lots[ref, unit]
            kept = self.holder(owner)
            self.want_lots(kept, unit, amount, at)
            self.touching[kept] = sum(
                times
                for other, times in touching.items()
                if (one := ids[other - 1]) is not None and owners.get((one, unit)) == owner
            )

    def arguments(self) -> list[object]:
        several = {ref for ref, times in self.touching.items() if times > 1}
        return [
            [tuple(ref) for ref in self.refs],
            [(key.scope, key.key) for key in self.natural],
            [key.client for key in self.clients],
            [key.key for key in self.clients],
            [(key.scope, key.key) for key in self.sales],
            list(self.redemptions),
            [
                (ref, unit, None if ref in several else amount, at)
                for (ref, unit), (amount, at) in self.lots.items()
            ]
            + [(ref, unit, None, at) for (ref, unit), at in self.own_lots.items()]
            + [(ref, unit, DUE, at) for (ref, unit), at in self.due_lots.items()],
            list(self.traits),
            [
                (ordinal, ref, *summed)
                for ordinal, (ref, summed) in enumerate(self.summed(), start=1)
            ],
            [owner.kind for owner in self.owners],
            [owner.id for owner in self.owners],
            [(key.scope, key.key) for key in self.parked],
        ]


def gather(
    requests: Sequence[Request],
    setup: Setup,
    plugins: PluginSet,
    more: More | None = None,
) -> Wants:
    """Everything a batch of requests asks for, and what it was found to need beside it."""
    wants = Wants()
    for request in requests:
        _gather(wants, request, setup, plugins)
    for holder, unit in more.lots if more else ():
        wants.want_own_lots(wants.holder(holder), unit, requests[0].fact.occurred_at)
    for member_id, name, since, before in more.counters if more else ():
        one = [(name, since, before)]
        if member_id is None:
            wants.want_sums(None, Sums(own=[], shared=one))
        else:
            wants.want_sums(wants.member(MemberRef(id=member_id)), Sums(own=one, shared=[]))
    return wants


def _gather(wants: Wants, request: Request, setup: Setup, plugins: PluginSet) -> None:
    fact = request.fact
    if request.client_key is not None:
        wants.clients[request.client_key] = None
    elif (key := request.natural_key) is not None:
        wants.natural[key] = None
    ref = _subject(wants, fact)
    if ref is not None:
        wants.touching[ref] = wants.touching.get(ref, 0) + 1
    _own_needs(wants, request, ref, setup)
    looks = looks_of(fact, plugins, setup)
    wants.looks[id(looks)] = looks
    for kind, turn in looks.choosing:
        _lots_and_redemptions(wants, fact, kind, turn, ref, setup)
    for name in looks.traits:
        wants.traits[name] = None
    if (sums := looks.sums(fact.occurred_at, setup.zone)) is not None:
        wants.want_sums(ref, sums)


def _subject(wants: Wants, fact: Fact) -> int | None:
    """Whose member row is locked for this fact."""
    if isinstance(fact, facts.PurchaseReversed):
        key = sale_key(fact)
        return wants.ref("s", key.key, key.scope)
    if isinstance(fact, REDEMPTION_COMMANDS):
        wants.redemptions[fact.redemption_id] = None
        if fact.member is not None:
            wants.member(fact.member)
        return wants.ref("r", str(fact.redemption_id))
    if isinstance(fact, facts.MemberEnrolled):
        wants.member(MemberRef(external_id=fact.external_id))
        for value in fact.identifiers:
            wants.member(MemberRef(identifier=value))
        return None
    return wants.member(fact.member) if fact.member is not None else None


def _own_needs(wants: Wants, request: Request, ref: int | None, setup: Setup) -> None:
    """What the kernel's own part of the fact looks at."""
    fact, at = request.fact, request.fact.occurred_at
    match fact:
        case facts.PurchaseRecorded():
            wants.parked[FactKey(fact.source, fact.external_id)] = None
            for tender in fact.tenders:
                if tender.redemption_id is not None:
                    wants.redemptions[UUID(tender.redemption_id)] = None
            if setup.enroll_on_purchase and fact.member and fact.member.external_id:
                wants.natural[FactKey("enrolment", fact.member.external_id)] = None
            if fact.revision > 1:
                newest = facts.purchase_key(fact.source, fact.external_id, request.replaces)
                replaces = request.replaces is not None and request.replaces < fact.revision
                (wants.sales if replaces else wants.natural)[newest] = None
        case facts.PurchaseReversed():
            wants.sales[sale_key(fact)] = None
        case facts.FactReversed():
            wants.sales[FactKey(fact.reversed_scope, fact.reversed_key)] = None
        case facts.LotsDue() if fact.owner is not None:
            wants.want_due_lots(wants.holder(fact.owner), fact.unit, at)
        case facts.LotsDue() if ref is not None:
            wants.want_due_lots(ref, fact.unit, at)
        case facts.MemberClosed() if ref is not None:
            for unit in setup.units:
                wants.want_own_lots(ref, unit, at)
        case commands.AdjustBalance() if ref is not None and fact.amount < 0:
            amount = None if fact.allow_deficit else -fact.amount
            wants.want_lots(ref, fact.unit, amount, at)


def _lots_and_redemptions(
    wants: Wants, fact: Fact, kind: type[Fact], turn: Turn, ref: int | None, setup: Setup
) -> None:
    """What the reaction of one program spends or gives back."""
    reaction, at = turn.reaction, fact.occurred_at
    if reaction.burns is not None and ref is not None:
        if kind is type(fact):
            for want in reaction.burns(turn.version.config, fact):
                wants.want_lots(ref, want.unit, want.amount, at)
        else:  # a fact that is only emitted later cannot be asked how much: all lots
            for unit in setup.units:
                wants.want_lots(ref, unit, None, at)
    if reaction.restores is not None and kind is type(fact):
        for redemption_id in reaction.restores(turn.version.config, fact):
            wants.redemptions[redemption_id] = None
