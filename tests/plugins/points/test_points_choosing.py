"""What members choose, and what the rules make of it."""

from typing import Any

import pytest
from pydantic import ValidationError

from loyalty.errors import Code, Refused
from loyalty.facts import MemberRef
from loyalty.purchase import Line
from loyalty_points.commands import Choose
from loyalty_points.config import PointsConfig
from tests.plugins.points.till import ADA, Till, minor, program, rule

TRACKS = {
    "id": "track",
    "label": "How you earn",
    "options": [{"id": "distance", "label": "By mile"}, {"id": "price", "label": "By fare"},
                {"id": "segments", "label": "By flight"}],
    "changes": {"times": 1, "period": "year"},
}  # fmt: skip
BONUS = {
    "id": "bonus",
    "label": "Bonus categories",
    "options": [{"id": "dining", "label": "Dining", "categories": ["dining"]},
                {"id": "travel", "label": "Travel", "categories": ["travel", "fuel"]},
                {"id": "home", "label": "Home", "categories": ["home"]}],
}  # fmt: skip


def picks(till: Till, choice: str, *options: str) -> None:
    till.tells(
        Choose(
            member=MemberRef(id=ADA), occurred_at=till.at, program="club", choice=choice,
            options=options,
        )
    )  # fmt: skip


def declined(till: Till, choice: str, *options: str) -> Refused:
    with pytest.raises(Refused) as refused:
        picks(till, choice, *options)
    return refused.value


def doubled(**choice: Any) -> Till:
    """A point per dollar, twice as much in what is picked."""
    double = rule("double", bonus={"factor": "2"}, include={"choice": "bonus"})
    return Till(program(rule(), double, choices=[BONUS | choice]))


def basket(*parts: tuple[str, str]) -> list[Line]:
    return [
        Line(id=str(at), amount=minor(amount), category=category)
        for at, (category, amount) in enumerate(parts)
    ]


MIXED = basket(("dining/sushi", "10.00"), ("fuel", "20.00"), ("toys", "40.00"))


def test_a_bonus_goes_to_what_is_picked_and_everything_under_it() -> None:
    till = doubled()
    picks(till, "bonus", "dining")
    assert till.buys(*MIXED) == {"base": "70", "double": "10"}
    picks(till, "bonus", "travel")
    assert till.buys(*MIXED) == {"base": "70", "double": "20"}


def test_who_picked_nothing_has_the_default_or_no_bonus_at_all() -> None:
    assert doubled().buys(*MIXED) == {"base": "70"}
    assert doubled(default=["travel"]).buys(*MIXED) == {"base": "70", "double": "20"}


def test_several_are_picked_at_once() -> None:
    till = doubled(picks=2)
    picks(till, "bonus", "dining", "travel")
    assert till.buys(*MIXED) == {"base": "70", "double": "30"}
    assert "at most 2" in declined(till, "bonus", "dining", "travel", "home").message


def test_another_rate_may_be_for_what_is_picked() -> None:
    rates = rule(rates=[{"choice": "bonus", "points": "3"}])
    till = Till(program(rates, choices=[BONUS]))
    assert till.buys(*MIXED) == {"base": "70"}
    picks(till, "bonus", "dining")
    assert till.buys(*MIXED) == {"base": "90"}


def test_lines_may_be_left_out_by_a_pick() -> None:
    till = Till(program(rule(exclude={"choice": "bonus"}), choices=[BONUS]))
    assert till.buys(*MIXED) == {"base": "70"}
    picks(till, "bonus", "travel")
    assert till.buys(*MIXED) == {"base": "50"}


def test_a_track_decides_which_rule_earns() -> None:
    """AS-5, by each track: 800 miles, a fare of 260 dollars, one flight."""
    spendable = rule("elite", bonus={"factor": "1.5"}, activities=["flight"])
    also = [{"unit": "status"}]
    by = {"count": "attribute", "activities": ["flight"], "also": also}
    rules = [
        rule("miles", attribute="miles", points="1", when='choice.track == "distance"', **by),
        rule("fare", attribute="fare", points="5", when='choice.track == "price"', **by),
        rule("flights", points="500", when='choice.track == "segments"',
             **by | {"count": "visit"}),
        spendable,
    ]  # fmt: skip
    for track, status, points in (
        ("distance", "800", "1200"),
        ("price", "1300", "1950"),
        ("segments", "500", "750"),
    ):
        till = Till(program(*rules, choices=[TRACKS]), places={"status": 0})
        picks(till, "track", track)
        till.does("flight", miles=800, fare=260)
        assert (till.balance("status"), till.balance()) == (status, points)


def test_conditions_read_what_stands_also_for_those_who_picked_nothing() -> None:
    tracked = rule(when='choice.track == "price"'), rule("none", when='choice.track == ""')
    listed = rule("dines", when='"dining" in choice.bonus')
    several = BONUS | {"picks": 2}
    till = Till(program(*tracked, listed, choices=[TRACKS, several]))
    assert till.buys("10.00") == {"none": "10"}
    picks(till, "bonus", "home", "dining")
    picks(till, "track", "price")
    assert till.buys("10.00") == {"base": "10", "dines": "10"}
    default = [TRACKS | {"default": ["price"]}, several]
    assert Till(program(*tracked, choices=default)).buys("10.00") == {"base": "10"}


def test_a_second_change_in_a_year_is_refused_and_says_when_the_next_is_allowed() -> None:
    """AS-6: changed on 1 March, again on 1 August: not before the next year."""
    till = Till(program(rule(), choices=[TRACKS]), zone="America/New_York")
    till.comes("2026-01-10T12:00")
    picks(till, "track", "distance")  # the first pick is no change
    till.comes("2026-03-01T12:00")
    picks(till, "track", "price")
    till.comes("2026-08-01T12:00")
    picks(till, "track", "price")  # nor is what is picked already
    refused = declined(till, "track", "segments")
    assert (refused.code, refused.field) == (Code.LIMIT_REACHED, "choice")
    assert refused.message == "can be changed once a year: next allowed 2027-01-01"
    assert refused.details["nextAllowedAt"] == "2027-01-01T05:00:00Z"
    till.comes("2026-12-31T23:59")
    assert declined(till, "track", "segments").code is Code.LIMIT_REACHED
    till.comes("2027-01-01T00:00")
    picks(till, "track", "segments")


def test_what_is_picked_for_ever_stays() -> None:
    till = Till(program(rule(), choices=[TRACKS | {"changes": {"times": 0, "period": "lifetime"}}]))
    picks(till, "track", "price")
    refused = declined(till, "track", "distance")
    assert refused.message == "what is picked stays"
    assert refused.details["nextAllowedAt"] is None


def test_facts_of_before_a_change_keep_the_earlier_pick() -> None:
    till = doubled()
    till.comes("2026-03-01T12:00")
    picks(till, "bonus", "dining")
    till.comes("2026-03-20T12:00")
    picks(till, "bonus", "travel")
    till.comes("2026-03-10T12:00")  # heard of late
    assert till.buys(*MIXED) == {"base": "70", "double": "10"}
    till.comes("2026-02-10T12:00")
    assert till.buys(*MIXED) == {"base": "70"}


def test_what_there_is_not_is_refused_with_what_was_meant() -> None:
    till = Till(program(rule(), choices=[TRACKS]))
    unknown = declined(till, "trak", "price")
    assert (unknown.field, unknown.message) == (
        "choice", "there is no choice trak: did you mean track?",
    )  # fmt: skip
    option = declined(till, "track", "prise")
    assert (option.code, option.field) == (Code.NOT_FOUND, "options.0")
    assert option.message == "there is no option prise: did you mean price?"
    assert declined(till, "track").message == "name at least one option"
    assert declined(till, "track", "price", "price").message == "is named twice"


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        (program(rule(when='choice.trak == "price"'), choices=[TRACKS]), "did you mean track?"),
        (program(rule(include={"choice": "bonos"}), choices=[BONUS]), "did you mean bonus?"),
        (program(rule(include={"choice": "track"}), choices=[TRACKS]), "no option has categories"),
        (program(rule(over={"period": "year"}, include={"choice": "bonus"}), choices=[BONUS]),
         "over adds up"),
        (program(rule(), choices=[TRACKS, TRACKS]), "the id track"),
        (program(rule(), choices=[TRACKS | {"default": ["prise"]}]), "did you mean price?"),
        (program(rule(), choices=[TRACKS | {"default": ["price", "distance"]}]), "names an option"),
        (program(rule(), choices=[TRACKS | {"options": []}]), "at least 1"),
        (program(rule(), choices=[TRACKS | {"options": [BONUS["options"][0]] * 2}]), "two options"),
        (program(rule(), choices=[
            TRACKS | {"changes": {"times": 1, "period": "rolling", "days": 90}}]), "must begin on"),
    ],
)  # fmt: skip
def test_a_config_that_cannot_be_chosen_by_is_refused(config: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault.replace("?", r"\?")):
        PointsConfig.model_validate(config)


def test_a_lifetime_knows_what_stands_for_who_picked_nothing() -> None:
    track = {
        "id": "track", "label": "Track", "default": ["long"],
        "options": [{"id": "long", "label": "Long"}, {"id": "short", "label": "Short"}],
    }  # fmt: skip
    lifetime = {"span": "P1M", "never_while": 'choice.track == "long"'}
    till = Till(program(rule(), choices=[track], terms={"lifetime": lifetime}))
    till.buys("5.00")
    (lot,) = till.batch.book.open_lots(till.batch.book.account(ADA, "points", "main"))
    assert lot.expires_at is None
