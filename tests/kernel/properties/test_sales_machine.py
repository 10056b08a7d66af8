"""Whatever is sold, corrected, returned, given and reserved, in whatever order: as the model says.

Two tenants with three members each; purchases of several lines out of a budget that runs out,
returns by quantity and by amount, some of them before their purchase, revisions, gifts for a friend
in a settlement of their own, holds, members who leave. What was reached is counted and has floors.
"""

from collections import Counter
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from loyalty.view import BalanceView
from loyalty_app.logins import Addresses

from .exploring import explore
from .gift_program import BUDGET
from .sales_driver import SalesDriver
from .sales_story import SalesStory

# How often each situation must be reached, at the very least.
FLOORS = {
    "sold": 70, "several lines": 30, "parked": 20, "held": 15, "returned in part": 15,
    "returned whole": 10, "by quantity": 12, "by amount": 8, "corrected": 6, "left": 5,
    "the newest of several revisions returned": 3, "a parked return APPLIED": 2,
    "a parked return REFUSED": 6, "a parked return ENDED": 1, "a gift DONE": 6,
    "a gift called off": 2, "a grant cut by the budget": 3, "nothing left of the budget": 3,
    "a budget that ended within a batch": 1, "lapsed": 2, "captured": 2, "left with a hold": 1,
    "a debt arose from a return": 2, "replayed": 4, "replayed with other content": 10,
    "sold and returned in one batch": 2, "a stranger's": 3, "refused: MEMBER_CLOSED": 4,
    "refused: PURCHASE_CHANGED": 8, "refused: RETURN_CHANGED": 5, "a revision skipped": 1,
}  # fmt: skip
DEEDS = {
    "return lines": 10, "sell": 9, "at once": 4, "reserve": 8, "correct": 7, "wait": 5,
    "return first": 4, "capture": 4, "two at once": 3, "return all": 4, "return an old one": 2,
    "release": 2, "work": 3, "close": 2, "replay": 2, "replay changed": 2, "stranger": 2,
}  # fmt: skip
DEED = st.sampled_from([deed for deed, times in DEEDS.items() for _ in range(times)])
SIZES = st.lists(
    st.tuples(st.sampled_from(range(1, 901)), st.sampled_from(range(1, 6))), min_size=1, max_size=3
)
WANT = st.tuples(
    st.sampled_from([0, 0, 0, 0, 1, 1, 2, 7]), st.sampled_from(["quantity", "amount"]),
    st.sampled_from([1, 7, 50, 100, 250, 333, 500, 1000, 1000]),
)  # fmt: skip
WANTS = st.lists(WANT, min_size=1, max_size=3)
PICK = st.sampled_from(range(0, 100))
SPENT = "select coalesce(sum(value), 0)::bigint as spent from loyalty.counter"


class SalesMachine(SalesStory):
    @rule(
        what=DEED, shop=st.sampled_from([0] * 8 + [1]), pick=PICK, sizes=SIZES, wants=WANTS,
        flag=st.booleans(),
    )  # fmt: skip
    def do(
        self, what: str, shop: int, pick: int, sizes: list[tuple[int, int]],
        wants: list[tuple[int, str, int]], flag: bool,
    ) -> None:  # fmt: skip
        people = self.shops[shop].people
        person, friend = people[pick % 3], people[(pick + 1) % 3]
        match what:
            case "sell":
                waiting = [w.order for w in self.shops[shop].waiting if w.state == "PARKED"]
                order = waiting[pick % len(waiting)] if waiting and flag else None
                self.sell(shop, person, sizes, friend if pick % 2 else None, order)
            case "correct":
                self.correct(shop, pick, sizes, skip=pick % 3 == 0)
            case "return lines":
                self.bring_back(shop, pick, None, wants)
            case "return all":
                self.bring_back(shop, pick, None, [])
            case "return an old one":
                self.bring_back(shop, pick, 1 + flag, wants)
            case "return first":
                order = self.return_first(shop, wants, 1 if pick % 3 == 0 else None)
                if pick % 2:
                    self.sell(shop, person, sizes, friend if flag else None, order)
            case "at once":
                self.sale_and_return_at_once(shop, person, sizes, wants[:1])
            case "two at once":
                self.two_at_once(shop, [person, friend], sizes)
            case "reserve":
                richest = max(people, key=lambda one: one.has)
                stars = max(1, richest.has // (1 + pick % 2)) + (pick % 10 == 0)
                self.reserve(shop, richest if pick % 5 else person, stars)
            case "capture" | "release":
                self.end_hold(pick, what == "capture")
            case "wait":
                self.time_passes(1 + pick)
            case "work":
                self.work(shop)
            case "close" if pick < 50:
                self.close(shop, person)
            case "replay":
                self.replay(pick)
            case "replay changed":
                self.replay_changed(pick)
            case "stranger":
                self.stranger(shop, pick)

    def time_passes(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))
        for shop in (0, 1):
            self.work(shop)

    @invariant()
    def it_is_as_the_model_says(self) -> None:
        for shop in sorted(self.touched):
            people = self.shops[shop].people
            found = self.driver.balances(self.tenants[shop], [person.id for person in people])
            for person in people:
                expected = BalanceView(
                    total=person.has, available=person.has, held=person.held, deficit=person.debt
                )
                assert found[person.id, "stars"] == expected, person
            counted = self.driver.rows(self.tenants[shop], SPENT)
            assert counted[0]["spent"] == BUDGET - self.shops[shop].budget
            findings = self.driver.findings(self.tenants[shop])
            assert not findings, findings
        self.touched.clear()

    def teardown(self) -> None:
        for shop, tenant in zip(self.shops, self.tenants, strict=True):
            rows = self.driver.rows(tenant, STATES)
            assert Counter((r["what"], r["state"]) for r in rows) == Counter(
                [("parked", waiting.state) for waiting in shop.waiting]
                + [("gift", gift.state) for gift in shop.gifts]
                + [("undo", "DONE" if undoing.done else "WAITING") for undoing in shop.undoings]
            )
            spent = self.driver.rows(tenant, "select sum(value)::bigint from loyalty.counter")[0][0]
            assert (spent or 0) == BUDGET - shop.budget


STATES = """
select 'parked' as what, state from loyalty.parked_return
union all
select case kind when 'FactReversed' then 'undo' else 'gift' end, state from loyalty.due_fact
"""


def test_sales_are_as_the_model_says(dsn: Addresses) -> None:
    driver = SalesDriver(dsn)

    class Machine(SalesMachine):
        pass

    Machine.driver = driver
    try:
        explore(Machine, driver.reached, FLOORS, examples=20)
    finally:
        driver.close()
