"""A shop as the machine plays it: sales and corrections, and what a return is to the model."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, ClassVar
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine

from loyalty.commands import Command
from loyalty.errors import Code, Refused
from loyalty.facts import Fact, MemberRef, PurchaseRecorded, PurchaseReversed
from loyalty.purchase import Line, Tender, TenderKind
from loyalty.settlement.request import ClientKey, Recorded, Request

from .gift_program import BUDGET, GIFT_COSTS, STAR_COSTS
from .sales_driver import SalesDriver
from .sales_model import (
    Bought,
    Given,
    Parts,
    Person,
    Shop,
    SoldLine,
    Waiting,
    buy,
    give_back,
)


@dataclass
class Reserved:
    id: UUID
    shop: int
    person: Person
    parts: Parts
    until: datetime
    state: str = "HELD"


class Till(RuleBasedStateMachine):
    driver: ClassVar[SalesDriver]

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.reached = self.driver.clock, self.driver.reached
        made = [self.driver.new_tenant(3) for _ in (0, 1)]
        self.tenants = [tenant for tenant, _ in made]
        self.shops = [Shop([Person(m) for m in people], BUDGET) for _, people in made]
        self.holds: list[Reserved] = []
        self.done: list[tuple[int, Request, Recorded]] = []
        self.early: list[tuple[Waiting, PurchaseReversed]] = []
        self.touched = {0, 1}
        self.number = 0

    def now(self) -> datetime:
        self.clock.advance(timedelta(seconds=1))
        return self.clock.now()

    def name(self) -> str:
        self.number += 1
        return f"n{self.number}"

    def record(self, shop: int, *facts: Fact) -> list[Any]:
        requests = [
            Request(fact=fact, actor="test", client_key=ClientKey("till", self.name())
                    if isinstance(fact, Command) else None)
            for fact in facts
        ]  # fmt: skip
        outcomes = self.driver.record(self.tenants[shop], *requests)
        self.touched.add(shop)
        for request, outcome in zip(requests, outcomes, strict=True):
            keyed = request.client_key is not None or request.natural_key is not None
            if isinstance(outcome, Recorded) and keyed:
                self.done.append((shop, request, outcome))
        return list(outcomes)

    def refused(self, outcome: Any, code: Code, field: str | None = None) -> None:
        assert isinstance(outcome, Refused), outcome
        assert outcome.code is code, outcome
        assert field is None or outcome.field == field, outcome
        self.reached[f"refused: {code}"] += 1

    # --- purchases and their revisions ------------------------------------------------------------

    def purchase(
        self, shop: int, person: Person, sizes: list[tuple[int, int]], friend: Person | None,
        order: str, revision: int = 1,
    ) -> PurchaseRecorded:  # fmt: skip
        total = sum(cents for cents, _ in sizes)
        return PurchaseRecorded(
            member=MemberRef(id=person.id), occurred_at=self.now(), source="shop",
            external_id=order, revision=revision, currency="USD", total=total,
            lines=tuple(
                Line(id=f"l{i}", amount=cents, quantity=pieces * 1000)
                for i, (cents, pieces) in enumerate(sizes)
            ),
            tenders=(Tender(kind=TenderKind.OTHER, amount=total),),
            attributes={} if friend is None else {"friend": str(friend.id)},
        )  # fmt: skip

    def modelled(self, shop: int, fact: PurchaseRecorded, friend: Person | None) -> Bought:
        model = self.shops[shop]
        person = next(p for p in model.people if fact.member and p.id == fact.member.id)
        lines = [SoldLine(x.id, x.amount, x.quantity, 0) for x in fact.lines]
        gift = None
        if friend is not None:
            gift = Given(friend, fact.total // GIFT_COSTS, self.clock.now())
        wanted, owed = sum(x.cents // STAR_COSTS for x in lines), person.debt > 0
        if 0 < model.budget < wanted:
            self.reached["a grant cut by the budget"] += 1
        self.reached["nothing left of the budget"] += model.budget == 0 and wanted > 0
        self.reached["a debt repaid by a purchase"] += owed and model.budget > 0
        self.reached["several lines"] += len(lines) > 1
        bought = buy(model, person, lines, gift, STAR_COSTS, fact.occurred_at)
        bought.revision = fact.revision
        model.orders.setdefault(fact.external_id, []).append(bought)
        return bought

    def sell(
        self, shop: int, person: Person, sizes: list[tuple[int, int]], friend: Person | None,
        order: str | None = None,
    ) -> None:  # fmt: skip
        fact = self.purchase(shop, person, sizes, friend, order or self.name())
        if fact.external_id in self.shops[shop].orders:
            return
        (outcome,) = self.record(shop, fact)
        if person.closed:
            self.refused(outcome, Code.MEMBER_CLOSED, "member")
            return
        assert isinstance(outcome, Recorded), outcome
        self.reached["sold"] += 1
        self.modelled(shop, fact, friend)
        self.arrive(shop, fact.external_id, 1)

    def correct(self, shop: int, pick: int, sizes: list[tuple[int, int]], skip: bool) -> None:
        """Send an order again with the next revision (or the one after that)."""
        if (order := self.order(shop, pick)) is None:
            return
        model = self.shops[shop]
        old = model.orders[order][-1]
        revision, friend = old.revision + 1 + skip, old.gift.friend if old.gift else None
        fact = self.purchase(shop, old.person, sizes, friend, order, revision)
        (outcome,) = self.record(shop, fact)
        if old.person.closed:
            self.refused(outcome, Code.MEMBER_CLOSED, "member")
        elif any(line.back for line in old.lines):
            self.refused(outcome, Code.PURCHASE_CHANGED, "revision")
        else:
            assert isinstance(outcome, Recorded), outcome
            whole = {line.id: Fraction(1) for line in old.lines}
            give_back(model, old, whole, self.clock.now())
            old.replaced = True
            self.reached["corrected"] += 1
            self.reached["a revision skipped"] += skip
            self.modelled(shop, replace(fact, occurred_at=old.heap.born), friend)
            self.arrive(shop, order, revision)

    def order(self, shop: int, pick: int) -> str | None:
        orders = list(self.shops[shop].orders)
        return orders[-1 - pick % min(len(orders), 4)] if orders else None

    # --- what comes back, in the model ------------------------------------------------------------

    def fits(self, bought: Bought, fact: PurchaseReversed) -> dict[str, Fraction] | Code:
        """Model: which part of each line comes back, or why it does not."""
        lines = {line.id: line for line in bought.lines}
        if not fact.lines:
            left = {x.id: 1 - x.back for x in bought.lines if x.back < 1}
            return left or Code.RETURN_TOO_LARGE
        parts: dict[str, Fraction] = {}
        for given in fact.lines:
            if given.id not in lines:
                return Code.NOT_FOUND
            line = lines[given.id]
            if given.quantity is not None:
                part = Fraction(given.quantity, line.quantity)
            else:
                part = Fraction(given.amount or 0, line.cents)
            parts[line.id] = parts.get(line.id, Fraction(0)) + part
            if line.back + parts[line.id] > 1:
                return Code.RETURN_TOO_LARGE
        return parts

    def apply(self, shop: int, order: str, fact: PurchaseReversed) -> Code | None:
        """Model: a return of a purchase that is there; answers why it is refused."""
        revisions = self.shops[shop].orders[order]
        named = [one for one in revisions if one.revision == fact.purchase_revision]
        bought = named[0] if named else revisions[-1]
        if bought.replaced:
            return Code.PURCHASE_CHANGED
        parts = self.fits(bought, fact)
        if isinstance(parts, Code):
            return parts
        debt, gift = bought.person.debt, bought.gift
        give_back(self.shops[shop], bought, parts, self.clock.now())
        self.reached["returned in part"] += bought.part() < 1
        self.reached["returned whole"] += bought.part() == 1
        self.reached["a debt arose from a return"] += bought.person.debt > debt
        self.reached["returned after the member left"] += bought.person.closed
        self.reached["a gift called off"] += gift is not None and gift.state == "CANCELLED"
        for line in fact.lines:
            self.reached[f"by {'amount' if line.quantity is None else 'quantity'}"] += 1
        return None

    def arrive(self, shop: int, order: str, revision: int) -> None:
        """A purchase is there: what waited for it is settled, oldest first."""
        mine = [pair for pair in self.early if pair[0] in self.shops[shop].waiting]
        for waiting, fact in mine:
            named = waiting.revision in (None, revision)
            if waiting.order == order and named and waiting.state == "PARKED":
                refused = self.apply(shop, order, fact)
                waiting.state = "REFUSED" if refused else "APPLIED"
                self.reached[f"a parked return {waiting.state}"] += 1
