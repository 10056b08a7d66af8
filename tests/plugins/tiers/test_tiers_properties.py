"""A tier is a function of what was counted, whatever the order and however often one looks."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from loyalty.days import local_day
from tests.plugins.tiers.slope import Slope

SPEND = {"id": "spend", "label": "Spend", "count": "spend", "currency": "USD"}
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # stories are short; shrinking takes minutes
LEVELS = (("silver", 10), ("gold", 20), ("platinum", 40))
START = datetime(2024, 1, 1, 12, tzinfo=UTC)


def tiers() -> list[dict[str, Any]]:
    paths = [
        {"id": tier, "label": tier, "qualify": [{"needs": {"spend": str(least)}}]}
        for tier, least in LEVELS
    ]
    return [{"id": "basic", "label": "Basic"}, *paths]


def by_sum(total: int) -> str:
    return next((tier for tier, least in reversed(LEVELS) if total >= least), "basic")


def best(*found: str) -> str:
    order = ["basic", *(tier for tier, _ in LEVELS)]
    return max(found, key=order.index)


# (days since the one before, what: a purchase, a return of an earlier one, a late purchase, a look)
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 90), st.sampled_from(["buy", "buy", "back", "late", "look"]),
        st.integers(1, 15), st.integers(0, 20),
    ),
    min_size=1, max_size=14,
)  # fmt: skip


class Story:
    """Plays events on a ladder; remembers what was bought when and is still kept."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.slope = Slope(config)
        self.kept: dict[str, tuple[datetime, int]] = {}
        self.now = START

    def play(self, days: int, what: str, dollars: int, which: int) -> None:
        self.now += timedelta(days=days, minutes=1)
        self.slope.comes(self.now)
        if what in ("buy", "late"):
            at = self.now - timedelta(days=dollars) if what == "late" else self.now
            self.kept[self.slope.buys(dollars, at)] = (at, dollars)
        elif what == "back" and self.kept:
            name = sorted(self.kept)[which % len(self.kept)]
            at, left = self.kept[name]
            part = min(left, dollars)
            self.slope.brings_back(name, part, self.now)
            self.kept[name] = (at, left - part)
            if left == part:
                del self.kept[name]
        elif what == "look":
            self.slope.looks(self.now)
        self.slope.comes(self.now)  # a late purchase may have reached what is over by now

    def spent(self, since: Any, before: Any) -> int:
        """Over local days [since, before)."""
        zone = self.slope.setup.zone
        return sum(
            dollars for at, dollars in self.kept.values() if since <= local_day(at, zone) < before
        )


# Reached, returned, and reached again by what came late: of before the return, in two steps.
RETURNED_BETWEEN = [
    (71, "late", 10, 0), (67, "back", 2, 0), (3, "late", 10, 0), (3, "late", 10, 0)
]  # fmt: skip
# Renewed, seen in the new year, and then reached by what came late: of before the renewal.
RENEWED_BETWEEN = [
    (100, "buy", 10, 0), (366, "buy", 10, 0), (266, "buy", 1, 0), (2, "late", 14, 0)
]  # fmt: skip
# Reached by what came late, in days that are over by now.
OVER_BY_NOW = [(50, "buy", 1, 0), (3, "late", 15, 0)]
FOUND_ONCE = [
    (5, "look", 7, 2), (68, "back", 15, 0), (3, "late", 10, 12), (67, "back", 2, 16),
    (3, "late", 10, 12), (3, "late", 10, 12), (8, "buy", 5, 10), (68, "back", 15, 0),
    (51, "buy", 13, 13), (63, "late", 9, 6),
]  # fmt: skip


@settings(max_examples=40, deadline=None, phases=PHASES)
@given(events=EVENTS, later=st.integers(0, 900))
@example(events=RETURNED_BETWEEN, later=0)
@example(events=RENEWED_BETWEEN, later=0)
@example(events=FOUND_ONCE, later=0)
def test_the_tier_of_years_is_what_this_year_and_the_last_give(
    events: list[tuple[int, str, int, int]], later: int
) -> None:
    """Valid through the end of the next year, taken back with what it was reached by."""
    story = Story({"metrics": [SPEND], "tiers": tiers(), "on_return": "revoke"})

    def expected(at: datetime) -> str:
        day = local_day(at, story.slope.setup.zone)
        this, last = day.replace(month=1, day=1), day.replace(year=day.year - 1, month=1, day=1)
        following = this.replace(year=this.year + 1)
        return best(by_sum(story.spent(last, this)), by_sum(story.spent(this, following)))

    for event in events:
        story.play(*event)
        assert story.slope.tier(story.now) == expected(story.now)
    foreseen = story.slope.tier(story.now + timedelta(days=later))
    if later < 366:  # one end is known in advance
        assert foreseen == expected(story.now + timedelta(days=later))
    story.now += timedelta(days=later)
    story.slope.comes(story.now)
    assert story.slope.tier(story.now) == expected(story.now)


@settings(max_examples=40, deadline=None, phases=PHASES)
@given(events=EVENTS, days=st.integers(1, 120), later=st.integers(0, 200))
@example(events=OVER_BY_NOW, days=10, later=0)
def test_the_tier_while_sums_are_met_is_what_the_last_days_give(
    events: list[tuple[int, str, int, int]], days: int, later: int
) -> None:
    story = Story(
        {
            "metrics": [SPEND], "tiers": tiers(), "on_return": "revoke",
            "period": {"kind": "rolling", "days": days}, "validity": {"lasts": "while_met"},
        }
    )  # fmt: skip
    for event in [*events, (later, "look", 1, 0)]:
        story.play(*event)
        day = local_day(story.now, story.slope.setup.zone)
        since, before = day - timedelta(days=days - 1), day + timedelta(days=1)
        assert story.slope.tier(story.now) == by_sum(story.spent(since, before))


YEARS = {"metrics": [SPEND], "tiers": tiers(), "on_return": "revoke"}
LADDERS = st.fixed_dictionaries(
    {
        "metrics": st.just([SPEND]),
        "tiers": st.just(tiers()),
        "on_return": st.just("revoke"),
        "grace": st.sampled_from([None, "P10D", "P2M"]),
    }
).flatmap(
    lambda common: st.one_of(
        st.fixed_dictionaries(
            {
                "period": st.sampled_from(
                    [{"kind": "calendar"}, {"kind": "membership", "months": 6},
                     {"kind": "calendar", "months": 3}]
                ),
                "validity": st.sampled_from([{"periods": 0}, {"periods": 1}, {"periods": 2}]),
                "downgrade": st.sampled_from(["derive", "one_step"]),
                "soft_landing": st.sampled_from([None, 1, 2]),
                "upgrade": st.sampled_from(["at_once", "next_period"]),
            }
        ),
        st.fixed_dictionaries(
            {
                "period": st.sampled_from(
                    [{"kind": "rolling", "months": 3}, {"kind": "rolling", "days": 100}]
                ),
                "validity": st.sampled_from(
                    [{"lasts": "span", "span": "P3M"}, {"lasts": "span", "span": "P90D"},
                     {"lasts": "span", "span": "P6M", "ends": "month"}]
                ),
                "downgrade": st.sampled_from(["derive", "one_step"]),
                "soft_landing": st.sampled_from([None, 1]),
            }
        ),
        st.fixed_dictionaries(
            {
                "period": st.just({"kind": "rolling", "days": 60}),
                "validity": st.just({"lasts": "while_met"}),
            }
        ),
    ).map(lambda more: common | more)
)  # fmt: skip


@settings(max_examples=40, deadline=None, phases=PHASES)
@given(config=LADDERS, events=EVENTS, looks=st.lists(st.integers(1, 400), max_size=6))
def test_how_often_one_looks_changes_nothing(
    config: dict[str, Any], events: list[tuple[int, str, int, int]], looks: list[int]
) -> None:
    """The same standing and the same things told, looked at when due, often, or once at the end."""
    often, seldom = Story(config), Story(config)
    for event in events:
        if event[1] != "look":
            often.play(*event)
            seldom.play(*event)
    end = often.now + timedelta(days=400)
    for days in sorted(looks):
        often.slope.comes(often.now + timedelta(days=days))
        often.slope.looks(often.now + timedelta(days=days))
    for story in (often, seldom):
        story.slope.comes(end)
        story.slope.looks(end)
    assert often.slope.standing == seldom.slope.standing
    assert often.slope.told == seldom.slope.told
    for days in range(0, 400, 7):
        at = often.now + timedelta(days=days)
        assert often.slope.tier(at) == seldom.slope.tier(at)


@settings(max_examples=40, deadline=None, phases=PHASES)
@given(config=LADDERS, events=EVENTS)
@example(config=YEARS, events=RETURNED_BETWEEN)
def test_what_is_told_leads_from_one_tier_to_the_next(
    config: dict[str, Any], events: list[tuple[int, str, int, int]]
) -> None:
    """Nothing is silent: each change begins where the one before it ended, and others read it."""
    story = Story(config)
    for event in events:
        story.play(*event)
        standing = story.slope.standing
        assert story.slope.tier(story.now) == ("basic" if standing is None else standing.tier)
    held = "basic"
    for told in story.slope.told:
        assert told["before"] == held
        assert (told["change"] == "SAME") == (told["tier"] == held)
        held = told["tier"]
    standing = story.slope.standing
    assert held == ("basic" if standing is None else standing.tier)
