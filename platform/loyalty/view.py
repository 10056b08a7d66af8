"""What a rule may look at besides its config and the fact: one value, loaded before it decides."""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from loyalty.effects import AccountingClass
from loyalty.facts import Fact, FactKey
from loyalty.setup import Setup
from loyalty.units import format_minor

# Named tuples are what is made for every fact: a frozen dataclass takes more than twice as long.
NOTHING: Mapping[Any, Any] = MappingProxyType({})


class Stage(IntEnum):
    """When a reaction's turn comes. All reactions of one fact run stage by stage."""

    BASE = 1
    BONUS = 2
    CAP = 3
    AFTER = 4


class MemberView(NamedTuple):
    """The member a fact is about."""

    id: UUID
    external_id: str
    status: str = "ACTIVE"
    enrolled_at: datetime | None = None
    attributes: Mapping[str, Any] = NOTHING


class GrantView(NamedTuple):
    """What the fact was granted so far by one rule; `lines` sums to `granted`.

    `postponed` is what of a cut is given later, by name; None where nobody said. `inputs` is what
    its decision keeps of how it came to be; None while that is made. What returns take counts in
    full; what the member had spent of it, and the program bore (`TakeBack.CLAMP`), is `borne`: so
    much more of the rule the member really had. `uses` are how many times more, or fewer, the rule
    gave, by what a return settled.
    """

    program: str
    rule: str
    unit: str
    stage: Stage
    wanted: int
    granted: int
    accounting_class: AccountingClass
    lines: Mapping[str, int]
    cut_by: str | None = None
    postponed: Mapping[str, int] | None = None
    inputs: Mapping[str, Any] | None = None
    borne: int = 0
    uses: int = 0


Measured = Sequence[tuple[Fact, Sequence[GrantView]]]
"""What counters measure: facts, the root first, each with what it was granted."""


class BalanceView(NamedTuple):
    """A member's unit at the fact's instant, in minor units.

    `total` is all open value. `available` and `pending` are exact where the reaction says that it
    burns with an open amount; with a stated amount `available` is at least that, if there is as
    much; where it says nothing of the kind they are 0.
    """

    total: int = 0
    available: int = 0
    pending: int = 0
    held: int = 0
    deficit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LotView:
    """An open lot; only where the reaction says that it burns.

    `rule` is `<program>/<rule>`, or whatever else granted it; `occurred_at` when that was.
    """

    id: UUID
    remaining: int
    available_at: datetime
    expires_at: datetime | None
    rule: str
    occurred_at: datetime
    settles_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitValue:
    value: Any
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """A purchase: what counters measured of it when it was `recorded`, what they do of what is
    `left` of it (the same facts and grants; of what came back as a whole nothing), and what returns
    of it `settled` beyond the shares of their lines, each as of an instant. What was taken back
    stands there as less than nothing. `ended` says by (program, rule, unit, instant) how much of
    all that reached its term, and was not taken back since. Of what came back as a whole `bore`
    says what was spent of it (`GrantView.borne`)."""

    at: datetime
    recorded: Measured
    left: Measured
    settled: Sequence[tuple[datetime, GrantView]]
    ended: Mapping[tuple[str, str, str, datetime], int] = field(default_factory=dict)
    bore: Measured = ()


def not_told(since: datetime, before: datetime) -> None:
    """Nobody knows what else was bought then."""
    return None


def nothing_borne() -> Mapping[tuple[str, datetime], int]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """What a return takes off a purchase: what counters measured of it before, and what is left.

    Nothing is left of what came back as a whole. `at` is the purchase's instant, and `counters` are
    summed there, as they were before the return: those of the version that is in force now, and of
    the one that was then, as far as that was kept. `bought` answers what the member bought in
    [since, before), in the order of recording, the return taken off; None where that is not known.
    It is loaded when it is first asked for: ask where sums do not say enough. `lots` says of this
    program by (rule, unit) which lots the shares took from, as these are now, and `borne` by (rule,
    instant) what the program bears of what it recalled so far.
    """

    at: datetime
    before: Measured
    left: Measured
    counters: Mapping[str, int] = field(default_factory=dict)
    bought: Callable[[datetime, datetime], Sequence[Bought] | None] = not_told
    lots: Mapping[tuple[str, str], Sequence[LotView]] = field(default_factory=dict)
    borne: Callable[[], Mapping[tuple[str, datetime], int]] = nothing_borne


NO_BALANCE = BalanceView()


def no_chance(label: str) -> float | None:
    """A preview draws nothing, or members would fish for prizes."""
    return None


class View(NamedTuple):
    """Read-only, the same for the same inputs, and all that a rule ever sees.

    `counters` maps a counter's name (without the program) to its sum over the counter's window at
    the fact's instant; traits and counters are as they were before the root fact, and counters as
    they are after it in answer to `Counted`.

    `buckets` maps a counter that is kept by bucket to its buckets in order: (start, value).

    `key` is the one under which the fact being recorded is known for ever (None: a command).

    `needs` is as it was before the batch. `written` are the rows that this program's rules wrote
    since about this member, oldest first: a rule that reads what it writes takes both together.

    `came_back` is there for returns of which a counter takes notice.

    `known` is what earlier turns of this program worked out of this fact, for later ones: only what
    any of them would work out in the same way by itself. None: nobody keeps it.
    """

    program: str
    setup: Setup
    key: FactKey | None = None
    member: MemberView | None = None
    grants: Sequence[GrantView] = ()
    balances: Mapping[str, BalanceView] = NOTHING
    lots: Mapping[str, Sequence[LotView]] = NOTHING
    traits: Mapping[str, TraitValue] = NOTHING
    counters: Mapping[str, int] = NOTHING
    buckets: Mapping[str, Sequence[tuple[datetime, int]]] = NOTHING
    needs: Mapping[str, Any] = NOTHING
    written: Sequence[Any] = ()
    came_back: CameBack | None = None
    chance: Callable[[str], float | None] = no_chance
    known: dict[Any, Any] | None = None

    @property
    def zone(self) -> ZoneInfo:
        return self.setup.zone

    def places(self, unit: str) -> int:
        """Decimal places of one of the tenant's units.

        :raises LookupError: it has no such unit
        """
        places = self.setup.places(unit)
        if places is None:
            raise LookupError(f"program {self.program}: the tenant has no unit {unit}")
        return places

    def text(self, unit: str, minor: int) -> str:
        """An amount as the world outside is told it: a decimal number with the unit's places."""
        return format_minor(minor, self.places(unit))

    def balance(self, unit: str) -> BalanceView:
        return self.balances.get(unit, NO_BALANCE)

    def granted(self, unit: str, *, up_to: Stage = Stage.AFTER) -> int:
        """The sum granted so far of a unit by reactions of stages up to and including `up_to`."""
        return sum(g.granted for g in self.grants if g.unit == unit and g.stage <= up_to)


def drawn(secret: bytes, fact_key: str, rule: str, label: str) -> float:
    """A number in [0, 1) that only who holds the secret can foresee: the same on every replay."""
    message = "\0".join((fact_key, rule, label)).encode()
    digest = hmac.new(secret, message, sha256).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / float(1 << 53)
