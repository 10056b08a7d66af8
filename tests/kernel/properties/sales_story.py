"""What can be done in a shop: to the recorder and to the model alike."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, ClassVar
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine

from loyalty.commands import CaptureRedemption, Command, Redeem, ReleaseRedemption
from loyalty.errors import Code, Refused
from loyalty.facts import Fact, MemberClosed, MemberRef, PurchaseRecorded, PurchaseReversed
from loyalty.purchase import Line, ReturnedLine, Tender, TenderKind
from loyalty.settlement.request import ClientKey, Recorded, Request

from .gift_program import BUDGET, GIFT_COSTS, HOLD, PARKING, STAR_COSTS
from .sales_driver import SalesDriver
from .sales_model import (
    Bought,
    Given,
    Parts,
    Person,
    Shop,
    SoldLine,
    Undoing,
    Waiting,
    buy,
    give_back,
    settle_gift,
    undo_gift,
)


@dataclass
class Reserved:
    id: UUID
    shop: int
    person: Person
    parts: Parts
    until: datetime
    state: str = "HELD"


class SalesStory(RuleBasedStateMachine):
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
        revisions = self.shops[shop].orders[order]
        old, revision = revisions[-1], len(revisions) + 1 + skip
        friend = old.gift.friend if old.gift else None
        fact = self.purchase(shop, old.person, sizes, friend, order, revision)
        (outcome,) = self.record(shop, fact)
        if old.person.closed:
            self.refused(outcome, Code.MEMBER_CLOSED, "member")
        elif skip:
            self.refused(outcome, Code.NOT_FOUND, "revision")
        elif any(line.back for line in old.lines):
            self.refused(outcome, Code.PURCHASE_CHANGED, "revision")
        else:
            assert isinstance(outcome, Recorded), outcome
            whole = {line.id: Fraction(1) for line in old.lines}
            give_back(self.shops[shop], old, whole, fact.occurred_at)
            old.replaced = True
            self.reached["corrected"] += 1
            self.modelled(shop, fact, friend)
            self.arrive(shop, order, revision)

    def order(self, shop: int, pick: int) -> str | None:
        orders = list(self.shops[shop].orders)
        return orders[-1 - pick % min(len(orders), 4)] if orders else None

    # --- returns ----------------------------------------------------------------------------------

    def give(
        self, shop: int, order: str, revision: int | None, wants: list[tuple[int, str, int]]
    ) -> PurchaseReversed:
        """A return of lines: (number, "quantity" or "amount", how much); none: all that is left."""
        return PurchaseReversed(
            occurred_at=self.now(), source="shop", return_id=self.name(),
            purchase_external_id=order, purchase_revision=revision,
            lines=tuple(ReturnedLine(id=f"l{n}", **{how: much}) for n, how, much in wants),
        )  # fmt: skip

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
        bought = revisions[(fact.purchase_revision or len(revisions)) - 1]
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

    def bring_back(
        self, shop: int, pick: int, revision: int | None, wants: list[tuple[int, str, int]]
    ) -> None:
        if (order := self.order(shop, pick)) is None:
            return
        fact = self.give(shop, order, revision, wants)
        (outcome,) = self.record(shop, fact)
        if (revision or 1) > len(self.shops[shop].orders[order]):
            self.parks(shop, fact, outcome)
            return
        self.reached["the newest of several revisions returned"] += (
            revision is None and len(self.shops[shop].orders[order]) > 1
        )
        refused = self.apply(shop, order, fact)
        if refused is not None:
            self.refused(outcome, refused)
        else:
            assert isinstance(outcome, Recorded), outcome
            assert outcome.answer["state"] == "APPLIED"

    def parks(self, shop: int, fact: PurchaseReversed, outcome: Any) -> None:
        assert isinstance(outcome, Recorded), outcome
        assert outcome.answer["state"] == "PARKED"
        ends = self.clock.now() + PARKING
        self.shops[shop].waiting.append(
            Waiting(fact.purchase_external_id, fact.purchase_revision, ends)
        )
        self.early.append((self.shops[shop].waiting[-1], fact))
        self.reached["parked"] += 1

    def return_first(
        self, shop: int, wants: list[tuple[int, str, int]], revision: int | None
    ) -> str:
        order = self.name()
        fact = self.give(shop, order, revision, wants)
        (outcome,) = self.record(shop, fact)
        self.parks(shop, fact, outcome)
        return order

    def arrive(self, shop: int, order: str, revision: int) -> None:
        """A purchase is there: what waited for it is settled, oldest first."""
        mine = [pair for pair in self.early if pair[0] in self.shops[shop].waiting]
        for waiting, fact in mine:
            named = waiting.revision in (None, revision)
            if waiting.order == order and named and waiting.state == "PARKED":
                refused = self.apply(shop, order, fact)
                waiting.state = "REFUSED" if refused else "APPLIED"
                self.reached[f"a parked return {waiting.state}"] += 1

    def sale_and_return_at_once(
        self, shop: int, person: Person, sizes: list[tuple[int, int]],
        wants: list[tuple[int, str, int]],
    ) -> None:  # fmt: skip
        """Both in one batch."""
        order = self.name()
        fact = self.purchase(shop, person, sizes, None, order)
        back = self.give(shop, order, None, wants)
        sold, returned = self.record(shop, fact, back)
        if person.closed:
            self.refused(sold, Code.MEMBER_CLOSED)
            self.parks(shop, back, returned)
            return
        self.modelled(shop, fact, None)
        refused = self.apply(shop, order, back)
        assert isinstance(returned, Refused) == (refused is not None), returned
        self.reached["sold and returned in one batch"] += refused is None

    def two_at_once(self, shop: int, people: list[Person], sizes: list[tuple[int, int]]) -> None:
        """Two purchases in one batch: the second sees what the first left of the budget."""
        facts = [self.purchase(shop, one, sizes, None, self.name()) for one in people]
        left = self.shops[shop].budget
        outcomes = self.record(shop, *facts)
        for person, fact, outcome in zip(people, facts, outcomes, strict=True):
            if person.closed:
                self.refused(outcome, Code.MEMBER_CLOSED)
                continue
            assert isinstance(outcome, Recorded), outcome
            self.modelled(shop, fact, None)
        self.reached["a budget that ended within a batch"] += left > 0 == self.shops[shop].budget

    # --- holds, members, replays, strangers -------------------------------------------------------

    def reserve(self, shop: int, person: Person, stars: int) -> None:
        fact = Redeem(
            member=MemberRef(id=person.id), occurred_at=self.now(), program="gifts",
            unit="stars", amount=stars,
        )  # fmt: skip
        (outcome,) = self.record(shop, fact)
        if person.closed:
            self.refused(outcome, Code.MEMBER_CLOSED)
        elif stars > person.has:
            self.refused(outcome, Code.INSUFFICIENT_BALANCE)
        else:
            assert isinstance(outcome, Recorded), outcome
            parts = person.take(stars, person.heaps)
            person.held += stars
            ident = UUID(outcome.answer["redemptionId"])
            self.holds.append(Reserved(ident, shop, person, parts, self.clock.now() + HOLD))
            self.reached["held"] += 1

    def end_hold(self, pick: int, capture: bool) -> None:
        if not self.holds:
            return
        hold = self.holds[-1 - pick % min(len(self.holds), 3)]
        kind = CaptureRedemption if capture else ReleaseRedemption
        (outcome,) = self.record(hold.shop, kind(occurred_at=self.now(), redemption_id=hold.id))
        late = capture and hold.until <= self.clock.now()
        if hold.state != "HELD" or late:
            self.refused(outcome, Code.REDEMPTION_STATE)
            return
        assert isinstance(outcome, Recorded), outcome
        hold.state = "CAPTURED" if capture else "RELEASED"
        self.let_go(hold, [] if capture else hold.parts)
        self.reached[hold.state.lower()] += 1

    def let_go(self, hold: Reserved, parts: Parts) -> None:
        hold.person.held -= sum(stars for _, stars in hold.parts)
        self.reached["a debt repaid by a hold"] += hold.person.debt > 0 and bool(parts)
        hold.person.put(parts)

    def close(self, shop: int, person: Person) -> None:
        fact = MemberClosed(member=MemberRef(id=person.id), occurred_at=self.now())
        (outcome,) = self.record(shop, fact)
        if person.closed:
            assert isinstance(outcome, Refused), outcome
            return
        assert isinstance(outcome, Recorded), outcome
        self.reached["left"] += 1
        self.reached["left with a hold"] += person.held > 0
        person.leave()

    def replay(self, pick: int) -> None:
        if not self.done:
            return
        shop, request, first = self.done[-1 - pick % len(self.done)]
        self.now()
        (again,) = self.driver.record(self.tenants[shop], request)
        assert isinstance(again, Recorded), again
        assert (again.replayed, again.fact_id) == (True, first.fact_id)
        assert again.answer == first.answer
        self.reached["replayed"] += 1

    def replay_changed(self, pick: int) -> None:
        """The same key with other content."""
        if not self.done:
            return
        shop, request, _ = self.done[-1 - pick % len(self.done)]
        match request.fact:
            case PurchaseRecorded() as fact:
                other: Fact = replace(fact, attributes={**fact.attributes, "x": 1})
                code = Code.PURCHASE_CHANGED
            case PurchaseReversed() as fact:
                other, code = replace(fact, attributes={"x": 1}), Code.RETURN_CHANGED
            case Redeem() as fact:
                other, code = replace(fact, amount=fact.amount + 1), Code.IDEMPOTENCY_MISMATCH
            case _:
                return
        (outcome,) = self.driver.record(self.tenants[shop], replace(request, fact=other))
        self.refused(outcome, code)
        self.reached["replayed with other content"] += 1

    def stranger(self, shop: int, pick: int) -> None:
        """Name what is the other shop's."""
        theirs = self.shops[1 - shop]
        order = self.order(1 - shop, pick)
        if pick % 3 == 0:
            fact: Fact = self.purchase(shop, theirs.people[0], [(500, 1)], None, self.name())
            (outcome,) = self.record(shop, fact)
            self.refused(outcome, Code.MEMBER_NOT_FOUND, "member")
        elif pick % 3 == 1 and order is not None:
            back = self.give(shop, order, None, [])
            (outcome,) = self.record(shop, back)
            self.parks(shop, back, outcome)
        else:
            holds = [hold for hold in self.holds if hold.shop != shop]
            if not holds:
                return
            fact = ReleaseRedemption(occurred_at=self.now(), redemption_id=holds[-1].id)
            (outcome,) = self.record(shop, fact)
            self.refused(outcome, Code.NOT_FOUND)
        self.reached["a stranger's"] += 1

    # --- what a worker does -----------------------------------------------------------------------

    def work(self, shop: int) -> None:
        """The real worker's duties; in the model: what is due, by instant, and what that leaves."""
        self.driver.work(self.tenants[shop])
        self.touched.add(shop)
        now, model = self.clock.now(), self.shops[shop]
        ready = [u for u in model.undoings if u.gift.state != "WAITING"]
        self.settle_due(shop, now, ready)
        self.settle_due(shop, now, model.undoings)
        for waiting in model.waiting:
            if waiting.state == "PARKED" and waiting.ends <= now:
                waiting.state = "ENDED"
                self.reached["a parked return ENDED"] += 1

    def settle_due(self, shop: int, now: datetime, undoings: list[Undoing]) -> None:
        model = self.shops[shop]
        due: list[tuple[datetime, int, int, Any]] = [
            (h.until, 0, i, h) for i, h in enumerate(self.holds)
            if h.shop == shop and h.state == "HELD" and h.until <= now
        ]  # fmt: skip
        due += [(g.due, 1, i, g) for i, g in enumerate(model.gifts) if g.state == "WAITING"]
        due += [(u.due, 2, i, u) for i, u in enumerate(undoings) if not u.done]
        for _, _, _, one in sorted(due, key=lambda item: item[:3]):
            if isinstance(one, Reserved):
                one.state = "LAPSED"
                self.let_go(one, one.parts)
                self.reached["lapsed"] += 1
            elif isinstance(one, Given):
                settle_gift(one)
                self.reached[f"a gift {one.state}"] += 1
            else:
                before = one.gift.taken
                undo_gift(one)
                self.reached["a gift undone"] += one.gift.taken > before
