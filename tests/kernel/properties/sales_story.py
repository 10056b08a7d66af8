"""What customers and the worker do with what was sold: to the recorder and to the model alike."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.commands import CaptureRedemption, Redeem, ReleaseRedemption
from loyalty.errors import Code, Refused
from loyalty.facts import Fact, MemberClosed, MemberRef, PurchaseRecorded, PurchaseReversed
from loyalty.purchase import ReturnedLine
from loyalty.settlement.request import Recorded

from .gift_program import HOLD, PARKING
from .sales_model import (
    Given,
    Parts,
    Person,
    Undoing,
    Waiting,
    settle_gift,
    undo_gift,
)
from .till import Reserved, Till


class SalesStory(Till):
    """What customers and the worker do with what was sold."""

    def give(
        self, shop: int, order: str, revision: int | None, wants: list[tuple[int, str, int]]
    ) -> PurchaseReversed:
        """A return of lines: (number, "quantity" or "amount", how much); none: all that is left."""
        return PurchaseReversed(
            occurred_at=self.now(), source="shop", return_id=self.name(),
            purchase_external_id=order, purchase_revision=revision,
            lines=tuple(ReturnedLine(id=f"l{n}", **{how: much}) for n, how, much in wants),
        )  # fmt: skip

    def bring_back(
        self, shop: int, pick: int, revision: int | None, wants: list[tuple[int, str, int]]
    ) -> None:
        if (order := self.order(shop, pick)) is None:
            return
        fact = self.give(shop, order, revision, wants)
        (outcome,) = self.record(shop, fact)
        known = [one.revision for one in self.shops[shop].orders[order]]
        if revision is not None and revision not in known:
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
        elif pick % 3 == 1 and order is not None and order not in self.shops[shop].orders:
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
