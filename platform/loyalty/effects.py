"""Effects: what must now be true. Rules return them; only the kernel carries them out."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from loyalty.errors import Code
from loyalty.facts import Fact

_NO_INPUTS: Mapping[str, Any] = MappingProxyType({})
AT_ACTIVATION = datetime(9999, 12, 31, tzinfo=UTC)
"""`available_at` of what can be used only once it is activated: no day that anybody meets."""


class AccountingClass(StrEnum):
    """What an earning rule is to the books (IFRS 15 / ASC 606)."""

    MATERIAL_RIGHT = "MATERIAL_RIGHT"
    MARKETING = "MARKETING"
    PARTNER_FUNDED = "PARTNER_FUNDED"
    CASHBACK = "CASHBACK"
    SUBSCRIPTION_BENEFIT = "SUBSCRIPTION_BENEFIT"


class TakeBack(StrEnum):
    """What a return takes that the member no longer holds."""

    DEFICIT = "deficit"  # the member owes it; the next grants repay it first
    CLAMP = "clamp"  # the program bears it
    REFUSE = "refuse"  # the return is refused


BORNE = "BORNE"
"""What a decision names as what cut what a return takes: it was spent, and the program bears it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinstate:
    """Whether a captured redemption may be undone, and what becomes of lots past their term.

    `grace` None: they are gone. Otherwise they live that much longer from the reversal on, by the
    clock of the tenant's zone.
    """

    allowed: bool = True
    grace: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Least:
    """What must be left of a purchase: at least `amount` of the sum of `of`, which says by line how
    much each counts (minor units of money, thousandths of a quantity)."""

    amount: int
    of: Mapping[str, int]


class Grant(NamedTuple):
    """Give the member `granted` of a unit; `wanted` is what it was before anything cut it.

    In the stage CAP a grant for a rule and unit that the same program already gave replaces that
    one's `granted` (it may only lower it) and names what cut it. `postponed` says what of the cut
    the program gives later, by the name under which it owes that; counters see it. In answer to a
    return it may be less than nothing: so much is owed no more.

    `lines` shares the grant over the purchase's lines (they sum to `wanted`; without it the kernel
    shares it by what was charged); a return takes back by these shares. Once less than one of
    `while_left` is left of the purchase, it takes back all that is left of the grant. What was
    granted `whole` is taken back by nothing less than that, or the return of everything.
    `counted`: counters see it; what only gives back what was burnt is nothing that was earned.
    `given_at`: only in answer to a return, as of a `Recall`. Then so much of what is granted has
    `ended` already: it goes where the program's lots end. And counters have so many more `uses` of
    the rule, and so much `more` than what is granted.
    """

    unit: str
    wanted: int
    granted: int
    rule: str
    label: str = ""
    accounting_class: AccountingClass = AccountingClass.MARKETING
    lines: Mapping[str, int] | None = None
    available_at: datetime | None = None
    settles_at: datetime | None = None
    expires_at: datetime | None = None
    cost: int | None = None
    take_back: TakeBack = TakeBack.DEFICIT
    while_left: tuple[Least, ...] = ()
    whole: bool = False
    counted: bool = True
    cut_by: str | None = None
    postponed: Mapping[str, int] | None = None
    inputs: Mapping[str, Any] = _NO_INPUTS
    given_at: datetime | None = None
    ended: int = 0
    uses: int = 0
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """Take `amount` at once, in burn order; it goes to the program's account `to`.

    `settled`: only from lots whose return window has closed (or that never had one).
    `undoable`: it is kept as a redemption, whoever asked for it, so that `Restore` can give back
    what it took. `reversible` is about requests of clients.
    """

    unit: str
    amount: int
    to: str = "redeemed"
    reversible: Reinstate = Reinstate()
    settled: bool = False
    undoable: bool = False
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """Give back what an undoable `Burn` of this program took, to the lots that it came from.

    What is past its term by now lives on for the burn's grace, or is gone. The reaction names the
    redemption in `restores`.
    """

    redemption_id: UUID
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Take back `amount` of what a rule of this program gave, beyond the shares of what came back.

    From the rule's own lots first. What was spent of it goes by `take_back`. Only in answer to a
    return; counters measure it as a grant of less than nothing, as of `given_at`, when it was given
    (None: now): in that bucket, and by the versions that counted then.
    """

    unit: str
    amount: int
    rule: str
    given_at: datetime | None = None
    label: str = ""
    accounting_class: AccountingClass = AccountingClass.MARKETING
    take_back: TakeBack = TakeBack.DEFICIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """So much that a rule of this program gave as of an instant has reached its term: the program
    has it. What a return misses of the rule's own lots of then is taken of that before anything
    else. Only in answer to a return, before its `Recall`.
    """

    unit: str
    rule: str
    amount: int
    given_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Reserve `amount`: its lots are chosen now and do not expire while they are held."""

    unit: str
    amount: int
    until: datetime
    to: str = "redeemed"
    reversible: Reinstate = Reinstate()


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Move `amount` between two accounts of the program, e.g. `breakage` to `charity`."""

    unit: str
    source: str
    target: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTrait:
    """Let the other plugins know something of the member, under `<program slug>.<name>`."""

    name: str
    value: Any
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Emit:
    """Another fact follows from this one: now for the same member, else durably, or later `at`.

    What is stored is undone with the root. `apart`: settled by itself, even for the same member,
    and undone with this very fact. `of` is the id of an earlier fact of the same member: the
    emitted one is stored, too, and undone with that one.
    """

    fact: Fact
    at: datetime | None = None
    apart: bool = False
    of: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reterm:
    """A lot of this member ends at another time from now on, or begins at one (None: as it does).

    A lot that has ended by the time this is recorded stays ended, whether or not a sweep ran.
    """

    lot_id: UUID
    expires_at: datetime | None
    available_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Decline the command (a fact cannot be declined by a rule)."""

    code: Code
    message: str
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A row for the plugin's own writer, in the same transaction.

    Later facts of the batch see it in `view.written`: those about the same member, or (`shared`)
    all of the program's, where several members draw on one thing.
    """

    row: object
    shared: bool = False


AtOnce = Burn | Recall | Ended | Hold | Restore | Post | SetTrait | Emit | Reterm | Refuse | Write
"""What is carried out when it is answered; grants are staged till all rules have."""
Effect = Grant | AtOnce
