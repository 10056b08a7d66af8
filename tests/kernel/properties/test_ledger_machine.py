"""Whatever members, tills and clocks do, in whatever order: the ledger does what the model does.

Two tenants, two members each, two units with different programs. One account is used five times as
often as all others together, for rare states lie deep. What was reached is counted and has floors:
a machine that explores nothing proves nothing.
"""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from .deeds import Deeds
from .driver import Driver
from .exploring import explore
from .story import PLACES, UNIT, Place

# How often each situation must be reached, at the very least.
FLOORS = {
    "refused": 150, "redeemed": 60, "held": 60, "redeemed beside an open hold": 40,
    "what a hold keeps from being spent": 8, "several lots spent at once": 30, "reversed": 40,
    "reversed past a term": 5, "returned after spending": 20, "a deficit arose": 20,
    "a deficit repaid": 8, "a part captured": 12, "lapsed": 20, "swept": 30, "replayed": 25,
    "replayed with other content": 10, "attacked": 15, "earned twice in one batch": 40,
}  # fmt: skip
DEEDS = {
    "earn": 6, "redeem": 8, "redeem what is held": 3, "redeem in one batch": 2, "capture": 6,
    "release": 2, "reverse": 5, "reverse late": 2, "return": 9, "adjust": 5, "wait": 3,
    "wait for long": 1, "replay": 2, "replay changed": 1, "attack": 2,
}  # fmt: skip
DEED = st.sampled_from([deed for deed, times in DEEDS.items() for _ in range(times)])
WHO = st.sampled_from([PLACES[0]] * 35 + PLACES[1:])
SHARE = st.sampled_from(["all", "all and 1", "half", "half", "1", "third", "third"])
# From lists: plain integers are also drawn from whatever constants the loaded modules hold.
PICK = st.sampled_from(range(0, 100))


class LedgerMachine(Deeds):
    @initialize(dollars=st.sampled_from(range(1, 61)))
    def begin(self, dollars: int) -> None:
        self.earn(PLACES[0], 100 * dollars, twice=False)

    # One rule that draws what to do: left to itself the explorer would leave most rules out of
    # most runs, and states that take four different steps would never be reached.
    @rule(
        what=DEED, who=WHO, pick=PICK, share=SHARE, flag=st.booleans(),
        number=st.sampled_from(range(1, 61)),
    )  # fmt: skip
    def do(self, what: str, who: Place, pick: int, share: str, flag: bool, number: int) -> None:
        match what:
            case "earn":
                self.earn(who, 100 * (number // 2) + pick, flag)
            case "redeem":
                self.redeem(who, share, capture=flag, by_id=pick % 2 == 0)
            case "redeem what is held":
                self.redeem(who, "held too", capture=flag, by_id=True)
            case "redeem in one batch":
                self.redeem_in_one_batch(who, [share, "half", "1"][: 2 + flag], pick % 2 == 0)
            case "capture":
                self.capture(pick, share)
            case "release":
                self.release(pick)
            case "reverse":
                self.reverse(pick)
            case "reverse late":
                self.time_passes(96 + number, sweeps=flag)
                self.reverse(pick)
            case "return":
                self.return_part(pick, share)
            case "adjust":
                self.adjust(who, number - 30 or 1, owe=flag, days=pick % 10 or None)
            case "wait":
                self.time_passes(number, sweeps=flag)
            case "wait for long":
                self.time_passes(96 + number, sweeps=flag)
            case "replay":
                self.replay(pick)
            case "replay changed":
                self.replay_with_other_content(pick)
            case "attack":
                self.attack(pick, number % 5, int(flag))

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        now = self.clock.now()
        for tenant in sorted(self.touched):
            found = self.driver.balances(self.tenants[tenant], self.members[tenant])
            for place in PLACES:
                if place[0] != tenant:
                    continue
                view = found[self.members[tenant][place[1]], UNIT[place[2]]]
                assert view == self.accounts[place].view(now), place
                assert view.available >= 0
                assert view.total == 0 or view.deficit == 0
            findings = self.driver.findings(self.tenants[tenant])
            assert not findings, findings
        self.diary.append((now, self.accounts[PLACES[0]].view(now)))
        self.touched.clear()

    def teardown(self) -> None:
        """Asked later, what was true at each instant is what was seen then."""
        for at, seen in self.diary[::4]:
            assert self.driver.as_of(self.tenants[0], self.members[0][0], UNIT[0], at) == seen, at


def test_the_ledger_does_what_the_model_does(driver: Driver) -> None:
    class Machine(LedgerMachine):
        pass

    Machine.driver = driver
    explore(Machine, driver.reached, FLOORS, examples=40)
