"""What can be done in a story: to the recorder and to the model alike."""

from dataclasses import replace
from datetime import datetime, timedelta

from loyalty.commands import (
    AdjustBalance,
    CaptureRedemption,
    Redeem,
    ReleaseRedemption,
    ReverseRedemption,
)
from loyalty.errors import Code
from loyalty.facts import Fact, MemberRef, PurchaseReversed
from loyalty.purchase import ReturnedLine
from loyalty.settlement.request import ClientKey, Recorded, Request

from .story import UNIT, Granted, Place, Sale, Story, part_of, split


class Deeds(Story):
    def earn(self, who: Place, total: int, twice: bool) -> None:
        fact = self.purchase(who, total)
        tenant, member, _ = who
        outcomes = self.record(tenant, *[fact] * (1 + twice))
        assert [o.replayed for o in outcomes] == [False, True][: len(outcomes)]
        self.reached["earned twice in one batch" if twice else "earned"] += 1
        sale = Sale(tenant, fact, [])
        for unit, (rate, pending, days) in enumerate(((1, 0, 4), (2, 2, 9))):
            if amount := total * rate // 100:
                place = (tenant, member, unit)
                account = self.accounts[place]
                self.reached["a deficit repaid"] += account.deficit > 0
                lot = account.grant(
                    amount,
                    fact.occurred_at + timedelta(days=pending),
                    fact.occurred_at + timedelta(days=days),
                )
                sale.grants.append(Granted(place, lot, amount))
        self.sales.append(sale)

    def redeem(self, who: Place, share: str, capture: bool, by_id: bool) -> None:
        account = self.accounts[who]
        amount = part_of(account.view(self.now()).available, share)
        if share == "held too":
            amount = account.view(self.clock.now()).available + account.held
        self.reached["redeemed beside an open hold"] += account.held > 0
        self.reached["what a hold keeps from being spent"] += (
            account.view(self.clock.now()).available < amount
            <= account.view(self.clock.now()).available + account.held
        )  # fmt: skip
        command = self.redemption(who, amount, capture, by_id=by_id)
        (outcome,) = self.record(who[0], command)
        self.spend(who, amount, capture, outcome)

    def redeem_in_one_batch(self, who: Place, shares: list[str], capture: bool) -> None:
        available = self.accounts[who].view(self.now()).available
        amounts = [part_of(available, share) for share in shares]
        commands = [
            self.redemption(who, amount, capture, by_id=number % 2 == 0)
            for number, amount in enumerate(amounts)
        ]
        for amount, outcome in zip(amounts, self.record(who[0], *commands), strict=True):
            self.spend(who, amount, capture, outcome)
        self.reached["several redeemed in one batch"] += 1

    def capture(self, pick: int, share: str) -> None:
        if (spent := self.pick(pick, "HELD", "CAPTURED")) is None:
            return
        amount = part_of(spent.amount, share)
        fact = CaptureRedemption(
            occurred_at=self.now(), redemption_id=spent.id,
            amount=None if share == "all" else amount,
        )  # fmt: skip
        (outcome,) = self.record(spent.place[0], fact)
        if spent.state != "HELD" or spent.until <= self.clock.now():
            self.expect(outcome, Code.REDEMPTION_STATE)
        elif not 0 < amount <= spent.amount:
            self.expect(outcome, Code.BAD_AMOUNT)
        else:
            assert isinstance(outcome, Recorded), outcome
            account = self.accounts[spent.place]
            account.held -= spent.amount
            kept, rest = split(spent.parts, amount)
            account.put_back(rest)
            spent.parts, spent.state = kept, "CAPTURED"
            self.reached["a part captured" if rest else "all captured"] += 1

    def release(self, pick: int) -> None:
        if (spent := self.pick(pick, "HELD", "RELEASED")) is None:
            return
        fact = ReleaseRedemption(occurred_at=self.now(), redemption_id=spent.id)
        (outcome,) = self.record(spent.place[0], fact)
        if spent.state != "HELD":
            self.expect(outcome, Code.REDEMPTION_STATE)
            return
        assert isinstance(outcome, Recorded), outcome
        self.give_back(spent, "RELEASED")
        self.reached["released"] += 1

    def reverse(self, pick: int) -> None:
        if (spent := self.pick(pick, "CAPTURED", "REVERSED")) is None:
            return
        now = self.now()
        fact = ReverseRedemption(occurred_at=now, redemption_id=spent.id)
        (outcome,) = self.record(spent.place[0], fact)
        if spent.state != "CAPTURED":
            self.expect(outcome, Code.REDEMPTION_STATE)
            return
        assert isinstance(outcome, Recorded), outcome
        late = [lot for lot, _ in spent.parts if lot.expires <= now]
        self.reached["reversed past a term"] += bool(late)
        if UNIT[spent.place[2]] == "points":  # two days of grace; gems are gone
            for lot in late:
                lot.dead, lot.remaining = lot.dead + lot.remaining, 0
                lot.expires = now + timedelta(days=2)
            late = []
        self.accounts[spent.place].put_back([(x, n) for x, n in spent.parts if x not in late])
        spent.state = "REVERSED"
        self.reached["reversed"] += 1

    def return_part(self, pick: int, share: str) -> None:
        if not self.sales:
            return
        sale = self.sales[-1 - pick % min(len(self.sales), 6)]
        left = sale.fact.total - sale.returned
        amount = part_of(left, share)
        fact = PurchaseReversed(
            occurred_at=self.now(), source="shop", return_id=self.name(),
            purchase_external_id=sale.fact.external_id,
            lines=(ReturnedLine(id="1", amount=amount),),
        )  # fmt: skip
        (outcome,) = self.record(sale.tenant, fact)
        if amount <= 0:
            self.expect(outcome, Code.BAD_AMOUNT)
        elif amount > left:
            self.expect(outcome, Code.RETURN_TOO_LARGE, Code.BAD_AMOUNT)
        else:
            assert isinstance(outcome, Recorded), outcome
            self.take_back(sale, amount)

    def adjust(self, who: Place, amount: int, owe: bool, days: int | None) -> None:
        now, account = self.now(), self.accounts[who]
        ends = None if days is None else now + timedelta(days=days)
        fact = AdjustBalance(
            member=self.ref(who), occurred_at=now, unit=UNIT[who[2]], amount=amount,
            reason_code="TEST", expires_at=ends, allow_deficit=owe,
        )  # fmt: skip
        (outcome,) = self.record(who[0], fact)
        if amount > 0:
            self.reached["a deficit repaid"] += account.deficit > 0
            account.grant(amount, now, ends or datetime.max.replace(tzinfo=now.tzinfo))
        elif owe:
            before = account.deficit
            account.take_back(-amount, None, now, owe=True)
            self.reached["a deficit arose"] += account.deficit > before
        elif account.spend(-amount, now) is None:
            self.expect(outcome, Code.INSUFFICIENT_BALANCE)
            return
        assert isinstance(outcome, Recorded), outcome

    def time_passes(self, hours: int, sweeps: bool) -> None:
        self.clock.advance(timedelta(hours=hours))
        if sweeps:
            for tenant in (0, 1):
                self.sweep(tenant)

    def replay(self, pick: int) -> None:
        if not self.done:
            return
        done = self.done[-1 - pick % len(self.done)]
        self.now()
        request = done.request
        if request.client_key is not None:  # a command sent again is sent later
            request = replace(request, fact=replace(request.fact, occurred_at=self.clock.now()))
        (again,) = self.driver.record(self.tenants[done.tenant], request)
        assert isinstance(again, Recorded), again
        assert (again.replayed, again.fact_id) == (True, done.answer.fact_id)
        assert again.answer == done.answer.answer
        self.reached["replayed"] += 1

    def replay_with_other_content(self, pick: int) -> None:
        changed = [done for done in self.done if hasattr(done.request.fact, "amount")]
        if not changed:
            return
        done = changed[-1 - pick % len(changed)]
        amount = (getattr(done.request.fact, "amount", 0) or 0) + 1
        request = replace(done.request, fact=replace(done.request.fact, amount=amount))  # type: ignore[call-arg]
        (outcome,) = self.driver.record(self.tenants[done.tenant], request)
        self.expect(outcome, Code.IDEMPOTENCY_MISMATCH)
        self.reached["replayed with other content"] += 1

    def attack(self, pick: int, what: int, tenant: int) -> None:
        """Name what belongs to the other tenant."""
        theirs = [spent for spent in self.spent if spent.place[0] != tenant]
        sales = [sale for sale in self.sales if sale.tenant != tenant]
        stranger = MemberRef(id=self.members[1 - tenant][pick % 2])
        now = self.now()
        if what == 0:
            fact: Fact = Redeem(member=stranger, occurred_at=now, program="shop", unit="points",
                                amount=1)  # fmt: skip
            code = Code.MEMBER_NOT_FOUND
        elif what == 1:
            fact = AdjustBalance(member=stranger, occurred_at=now, unit="points", amount=5,
                                 reason_code="X")  # fmt: skip
            code = Code.MEMBER_NOT_FOUND
        elif what in (2, 3) and theirs:
            kind = (CaptureRedemption, ReleaseRedemption)[what - 2]
            fact = kind(occurred_at=now, redemption_id=theirs[pick % len(theirs)].id)
            code = Code.NOT_FOUND
        elif what == 4 and sales:
            self.return_of_a_stranger(tenant, sales[pick % len(sales)])
            return
        else:
            return
        request = Request(fact=fact, actor="x", client_key=ClientKey("till", self.name()))
        (outcome,) = self.driver.record(self.tenants[tenant], request)
        self.expect(outcome, code)
        self.reached["attacked"] += 1
