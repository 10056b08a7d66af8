"""Surprises: who wins is foreseen by nobody and repeated by everybody who plays the same again."""

from tests.plugins.points.till import Till, program, rule

ODDS = {
    "odds": "v1", "probability": "0.05",
    "prizes": [{"points": "50", "weight": "80"}, {"points": "200", "weight": "15"},
               {"points": "1000", "weight": "5"}],
}  # fmt: skip


def spins(till: Till, times: int) -> list[tuple[int, str]]:
    won = []
    for at in range(times):
        if (prize := till.does("spin")) != {}:
            won.append((at, prize["lucky"]))
    return won


def lucky(**keys: object) -> dict[str, object]:
    return program(rule("lucky", activities=["spin"], chance=ODDS, **keys))


def test_the_same_seed_and_events_give_the_same_winners() -> None:
    won = spins(Till(lucky()), 2000)
    assert won == spins(Till(lucky()), 2000)
    assert 60 < len(won) < 140
    assert {prize for _, prize in won} == {"50", "200", "1000"}
    assert won != spins(Till(lucky(), secret=b"another"), 2000)


def test_a_member_wins_once_a_day_and_never_more_than_the_budget() -> None:
    limits = [{"times": 1, "period": "day"}]
    assert len(spins(Till(lucky(limits=limits)), 2000)) == 1
    caps = [{"points": "120", "per": "program", "period": "month"}]
    prizes = [int(prize) for _, prize in spins(Till(lucky(caps=caps)), 2000)]
    assert sum(prizes) == 120
    assert len(prizes) < 5


def test_a_draw_keeps_its_odds_roll_and_prize() -> None:
    till = Till(lucky())
    while not till.does("spin"):
        pass
    [grant] = till.body["grants"]
    assert grant["inputs"]["odds"] == "v1"
    assert grant["inputs"]["prize"] in {"50", "200", "1000"}
    assert 0 <= grant["inputs"]["roll"] < 0.05
    assert till.body["draws"][0]["label"] == "lucky/v1"


SURE = {"odds": "v1", "probability": "1", "prizes": [{"points": "50", "weight": "1"}]}


def test_a_draw_has_its_minimum_its_tenders_and_its_bounds() -> None:
    """A rule by chance looks at a purchase like any other: only who may win is drawn."""
    till = Till(program(rule("lucky", chance=SURE, minimum_purchase={"USD": "25.00"})))
    assert till.buys("24.99") == {}
    assert till.body["grants"][0]["cutBy"] == "MINIMUM_PURCHASE"
    assert till.buys("25.00") == {"lucky": "50"}

    till = Till(program(rule("lucky", chance=SURE, paid_with={"kinds": ["CARD"]})))
    assert till.buys("10.00", paid={"CASH": "10.00"}) == {}
    assert till.buys("10.00", paid={"CASH": "9.99", "CARD": "0.01"}) == {"lucky": "50"}

    assert Till(program(rule("lucky", chance=SURE, at_most="20"))).buys("1.00") == {"lucky": "20"}
    assert Till(program(rule("lucky", chance=SURE, at_least="70"))).buys("1.00") == {"lucky": "70"}
