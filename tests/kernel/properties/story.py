"""What a machine remembers of its story, and how it lets something happen in it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, ClassVar
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine

from loyalty.commands import Command, Redeem
from loyalty.errors import Code, Refused
from loyalty.facts import Fact, HoldLapsed, LotsDue, MemberRef, PurchaseRecorded, PurchaseReversed
from loyalty.purchase import Line, Tender, TenderKind
from loyalty.settlement.request import ClientKey, Recorded, Request
from loyalty.units import Rounding, rounded

from .driver import Driver
from .ledger_model import ModelAccount, ModelLot, Parts

Place = tuple[int, int, int]  # tenant, member, unit
PLACES: list[Place] = [(t, m, u) for t in (0, 1) for m in (0, 1) for u in (0, 1)]
UNIT, PROGRAM = ("points", "gems"), ("shop", "club")
HOLD = timedelta(hours=48)


@dataclass
class Granted:
    place: Place
    lot: ModelLot
    amount: int
    taken: int = 0


@dataclass
class Sale:
    tenant: int
    fact: PurchaseRecorded
    grants: list[Granted]
    returned: int = 0


@dataclass
class Spent:
    id: UUID
    place: Place
    parts: Parts
    state: str
    until: datetime

    @property
    def amount(self) -> int:
        return sum(part for _, part in self.parts)


@dataclass
class Done:
    tenant: int
    request: Request
    answer: Recorded


class Story(RuleBasedStateMachine):
    driver: ClassVar[Driver]

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.reached = self.driver.clock, self.driver.reached
        made = [self.driver.new_tenant(2) for _ in (0, 1)]
        self.tenants = [tenant for tenant, _ in made]
        self.members = [members for _, members in made]
        self.accounts = {place: ModelAccount() for place in PLACES}
        self.sales: list[Sale] = []
        self.spent: list[Spent] = []
        self.done: list[Done] = []
        self.diary: list[tuple[datetime, Any]] = []
        self.touched = {0, 1}
        self.number = 0

    def now(self) -> datetime:
        """A second later: no two things of a story happen at once."""
        self.clock.advance(timedelta(seconds=1))
        return self.clock.now()

    def name(self) -> str:
        self.number += 1
        return f"n{self.number}"

    def ref(self, place: Place, *, by_id: bool = True) -> MemberRef:
        tenant, member, _ = place
        if by_id:
            return MemberRef(id=self.members[tenant][member])
        return MemberRef(external_id=f"m{member}")

    def record(self, tenant: int, *facts: Fact) -> list[Any]:
        """Let facts happen in one batch; what stands can be replayed later."""
        requests = [self.request(fact) for fact in facts]
        outcomes = self.driver.record(self.tenants[tenant], *requests)
        self.touched.add(tenant)
        for request, outcome in zip(requests, outcomes, strict=True):
            if isinstance(outcome, Recorded) and not outcome.replayed:
                self.done.append(Done(tenant, request, outcome))
        return list(outcomes)

    def request(self, fact: Fact) -> Request:
        key = ClientKey("till", self.name()) if isinstance(fact, Command) else None
        return Request(fact=fact, actor="test", client_key=key)

    def expect(self, outcome: Any, *codes: Code) -> None:
        assert isinstance(outcome, Refused), outcome
        assert outcome.code in codes
        self.reached["refused"] += 1

    def purchase(self, who: Place, total: int) -> PurchaseRecorded:
        return PurchaseRecorded(
            member=self.ref(who), occurred_at=self.now(), source="shop",
            external_id=self.name(), currency="USD", total=total,
            lines=(Line(id="1", amount=total),),
            tenders=(Tender(kind=TenderKind.OTHER, amount=total),),
        )  # fmt: skip

    def redemption(self, who: Place, amount: int, capture: bool, *, by_id: bool) -> Redeem:
        return Redeem(
            member=self.ref(who, by_id=by_id), occurred_at=self.clock.now(), capture=capture,
            program=PROGRAM[who[2]], unit=UNIT[who[2]], amount=amount,
        )  # fmt: skip

    def spend(self, who: Place, amount: int, capture: bool, outcome: Any) -> None:
        account, now = self.accounts[who], self.clock.now()
        parts = account.spend(amount, now)
        if parts is None:
            self.expect(outcome, Code.BAD_AMOUNT if amount <= 0 else Code.INSUFFICIENT_BALANCE)
            return
        assert isinstance(outcome, Recorded), outcome
        account.held += 0 if capture else amount
        ident = UUID(outcome.answer["redemptionId"])
        state = "CAPTURED" if capture else "HELD"
        self.spent.append(Spent(ident, who, parts, state, now + HOLD))
        self.reached["several lots spent at once"] += len(parts) > 1
        self.reached["redeemed" if capture else "held"] += 1

    def pick(self, pick: int, *states: str) -> Spent | None:
        """One of the newest redemptions: mostly one in the first state, else in the others."""
        wanted = states[:1] if pick % 4 else states
        found = [spent for spent in self.spent if spent.state in wanted]
        return found[-1 - pick % min(len(found), 5)] if found else None

    def give_back(self, spent: Spent, state: str) -> None:
        account = self.accounts[spent.place]
        account.held -= spent.amount
        account.put_back(spent.parts)
        spent.state = state

    def take_back(self, sale: Sale, amount: int) -> None:
        """Model: each grant in proportion to what came back so far."""
        sale.returned += amount
        for granted in sale.grants:
            account = self.accounts[granted.place]
            part = Fraction(sale.returned, sale.fact.total)
            whole = rounded(granted.amount * part, Rounding.HALF_UP)
            owe, deficit = UNIT[granted.place[2]] == "points", account.deficit
            spent = granted.lot.remaining < whole - granted.taken
            account.take_back(whole - granted.taken, granted.lot, self.clock.now(), owe=owe)
            granted.taken = whole
            self.reached["returned after spending"] += spent
            self.reached["a deficit arose"] += account.deficit > deficit

    def sweep(self, tenant: int) -> None:
        """What a worker does: holds that lapsed in their order, then lots past their term."""
        now = self.clock.now()
        holds = self.driver.rows(self.tenants[tenant], HOLDS, now)
        lots = self.driver.rows(self.tenants[tenant], LOTS, now)
        facts: list[Fact] = [
            HoldLapsed(occurred_at=row["held_until"], redemption_id=row["id"]) for row in holds
        ]
        facts += [
            LotsDue(
                member=MemberRef(id=row["owner_id"]), occurred_at=row["expires_at"],
                unit=row["unit"], version=row["version"],
            )
            for row in lots
        ]  # fmt: skip
        lapsed = {row["id"] for row in holds}
        for spent in sorted(self.spent, key=lambda spent: (spent.until, spent.id)):
            due = spent.place[0] == tenant and spent.state == "HELD" and spent.until <= now
            assert due == (spent.id in lapsed)
            if due:
                self.give_back(spent, "LAPSED")
                self.reached["lapsed"] += 1
        self.reached["swept"] += len(lots)
        for outcome in self.record(tenant, *facts):
            gone = isinstance(outcome, Refused) and outcome.code is Code.NOT_FOUND
            assert isinstance(outcome, Recorded) or gone, outcome

    def return_of_a_stranger(self, tenant: int, sale: Sale) -> None:
        """A return that names the other tenant's purchase waits for one that never comes."""
        fact = PurchaseReversed(
            occurred_at=self.now(), source="shop", return_id=self.name(),
            purchase_external_id=sale.fact.external_id,
        )  # fmt: skip
        (outcome,) = self.record(tenant, fact)
        assert outcome.answer["state"] == "PARKED"


HOLDS = """
select id, held_until from loyalty.redemption where state = 'HELD' and held_until <= $1
 order by held_until, id
"""
LOTS = """
select distinct a.owner_id, a.unit, a.version, l.expires_at
  from loyalty.lot l join loyalty.account a on a.id = l.account_id
 where l.remaining > 0 and l.expires_at <= $1 order by l.expires_at, a.owner_id
"""


def part_of(amount: int, share: str) -> int:
    match share:
        case "all":
            return amount
        case "all and 1":
            return amount + 1
        case "half":
            return amount // 2
        case "third":
            return amount // 3
        case _:
            return 1


def split(parts: Parts, amount: int) -> tuple[Parts, Parts]:
    """The first `amount` in burn order, and the rest."""
    first: Parts = []
    rest: Parts = []
    for lot, part in parts:
        now = min(part, amount)
        amount -= now
        first += [(lot, now)] if now else []
        rest += [(lot, part - now)] if part > now else []
    return first, rest
