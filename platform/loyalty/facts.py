"""Facts: what happened, and commands: what is asked for. Both are immutable values.

A fact is never edited. Its natural key says which happening it is: hearing of it twice changes
nothing. Any rule may refuse a command; only validation (and `refuse` of returns) refuses a fact.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from loyalty.owners import Owner
from loyalty.personal import PERSONAL
from loyalty.purchase import Line, ReturnedLine, Tender


@dataclass(frozen=True, slots=True)
class MemberRef:
    """A member by exactly one of: our id, the tenant's own id, an identifier such as a card."""

    id: UUID | None = None
    external_id: str | None = None
    identifier: str | None = None

    def __post_init__(self) -> None:
        given = [part for part in (self.id, self.external_id, self.identifier) if part is not None]
        if len(given) != 1:
            raise ValueError("name the member by exactly one of id, externalId and identifier")


CORRECTED = "revised:"  # before the source, in the scope of what a correction takes back


class FactKey(NamedTuple):
    """Which happening this is: unique in the tenant, for ever."""

    scope: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened to a member (or, without a member, to the whole program).

    `COMPLETES`: it brings to its end what was begun earlier. So it is heard of members who left by
    now too, and by programs that are archived.
    """

    KIND: ClassVar[str] = "Fact"
    COMPLETES: ClassVar[bool] = False
    member: MemberRef | None = None
    occurred_at: datetime

    def __post_init__(self) -> None:
        if self.occurred_at.tzinfo is None:
            raise ValueError("occurred_at needs an offset")
        object.__setattr__(self, "occurred_at", self.occurred_at.astimezone(UTC))

    @property
    def natural_key(self) -> FactKey | None:
        """The key under which this fact is known for ever; None where only its cause names it."""
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberEnrolled(Fact):
    KIND: ClassVar[str] = "MemberEnrolled"
    external_id: str = field(metadata=PERSONAL)
    identifiers: tuple[str, ...] = field(default=(), metadata=PERSONAL)
    attributes: Mapping[str, Any] = field(default_factory=dict, metadata=PERSONAL)

    @property
    def natural_key(self) -> FactKey | None:
        return FactKey("enrolment", self.external_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseRecorded(Fact):
    """A basket was paid. Amounts are minor units of `currency`; the arithmetic was checked."""

    KIND: ClassVar[str] = "PurchaseRecorded"
    source: str
    external_id: str
    revision: int = 1
    currency: str
    total: int
    tax_included: bool = True
    lines: tuple[Line, ...]
    tenders: tuple[Tender, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict, metadata=PERSONAL)

    @property
    def natural_key(self) -> FactKey | None:
        return purchase_key(self.source, self.external_id, self.revision)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseReversed(Fact):
    """Goods of a purchase came back: some lines, or (`lines` empty) all that is left of it.

    Without a revision it is the newest by the time the return is recorded; rules and loaders see
    which one that is.
    """

    KIND: ClassVar[str] = "PurchaseReversed"
    source: str
    return_id: str
    purchase_external_id: str
    purchase_revision: int | None = None
    lines: tuple[ReturnedLine, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict, metadata=PERSONAL)

    @property
    def natural_key(self) -> FactKey | None:
        return FactKey(f"return:{self.source}", self.return_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRecorded(Fact):
    KIND: ClassVar[str] = "ActivityRecorded"
    source: str
    external_id: str
    type: str
    attributes: Mapping[str, Any] = field(default_factory=dict, metadata=PERSONAL)

    @property
    def natural_key(self) -> FactKey | None:
        return activity_key(self.source, self.external_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberClosed(Fact):
    """The member left; what the account still holds goes back to the programs."""

    KIND: ClassVar[str] = "MemberClosed"
    reason: str = field(default="", metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberErased(Fact):
    """Nothing here names the member any more: names, attributes and free text are gone for good."""

    KIND: ClassVar[str] = "MemberErased"
    COMPLETES: ClassVar[bool] = True

    @property
    def natural_key(self) -> FactKey | None:
        known = self.member.id if self.member else None
        return None if known is None else FactKey("erasure", str(known))


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFrozen(Fact):
    """The member spends nothing until they are unfrozen; what happens to them still earns."""

    KIND: ClassVar[str] = "MemberFrozen"
    reason: str = field(metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberUnfrozen(Fact):
    KIND: ClassVar[str] = "MemberUnfrozen"
    reason: str = field(default="", metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class LotsDue(Fact):
    """An instant at which lots of one account and unit reached their term: the member's own, or
    (then without a member) those of `owner`."""

    KIND: ClassVar[str] = "LotsDue"
    unit: str
    version: int  # the account's, when this was found due: a lot that comes later is due anew
    owner: Owner | None = None

    @property
    def natural_key(self) -> FactKey | None:
        holder = self.owner or (self.member.id if self.member else None)
        instant = self.occurred_at.isoformat()
        return FactKey("expiry", f"{holder}:{self.unit}:{instant}:{self.version}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FactReversed(Fact):
    """A fact that followed from another one is undone with it: `part` (n/d) of it, in all. So is
    one that a plugin has undone: what it granted, and what followed from it for others.

    `reversed_scope` and `reversed_key` name it, `detail` is what a plugin that asks needs again.
    """

    KIND: ClassVar[str] = "FactReversed"
    COMPLETES: ClassVar[bool] = True
    reversed_scope: str
    reversed_key: str
    part: str
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitChanged(Fact):
    """Traits of a member (by their full `names`) begin or cease to hold at this instant.

    Inside the settlement that sets a trait no rule sees it yet: whoever must know at once reacts to
    this one, which follows by itself where a program in force has a reaction to it.
    """

    KIND: ClassVar[str] = "TraitChanged"
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLapsed(Fact):
    """A hold was neither captured nor released in its time."""

    KIND: ClassVar[str] = "HoldLapsed"
    redemption_id: UUID

    @property
    def natural_key(self) -> FactKey | None:
        return FactKey("lapse", str(self.redemption_id))


# --- what the kernel itself tells the rules while it settles; never a root -----------------------
# `owner` is whose account it was, where it was not the member's own. Lots of such an account end
# without a member: a reaction to that may only emit.


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted(Fact):
    """A member was granted value by a rule of a program."""

    KIND: ClassVar[str] = "Granted"
    program: str
    rule: str
    unit: str
    amount: int
    accounting_class: str
    owner: Owner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(Fact):
    """Counters of these `programs` (their slugs) moved with what happened.

    Its reactions see counters as they are after all of it. They grant nothing, or it would escape
    the counters: who has something to give emits a fact, and gives it in answer to that.
    """

    KIND: ClassVar[str] = "Counted"
    programs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Burned(Fact):
    KIND: ClassVar[str] = "Burned"
    program: str
    unit: str
    amount: int
    redemption_id: UUID | None = None
    owner: Owner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired(Fact):
    KIND: ClassVar[str] = "Expired"
    program: str
    unit: str
    amount: int
    owner: Owner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack(Fact):
    KIND: ClassVar[str] = "TakenBack"
    program: str
    rule: str
    unit: str
    amount: int
    owner: Owner | None = None


def purchase_key(source: str, external_id: str, revision: int | None = None) -> FactKey:
    """A revision (None: the first) stands in the scope: an order may well be called `1001#2`."""
    scope = "purchase" if revision in (None, 1) else f"purchase#{revision}"
    return FactKey(f"{scope}:{source}", external_id)


def activity_key(source: str, external_id: str) -> FactKey:
    return FactKey(f"activity:{source}", external_id)


def correction_key(source: str, external_id: str, revision: int) -> FactKey:
    """The key under which what a corrected purchase had granted is taken back."""
    return FactKey(f"{CORRECTED}{source}", f"{external_id}#{revision}")


def corrected_to(key: FactKey) -> int | None:
    """The revision that stands in a purchase's place, by the key of what took it back."""
    return int(key.key.rpartition("#")[2]) if key.scope.startswith(CORRECTED) else None
