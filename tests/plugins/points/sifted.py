"""Programs of rules about purchases and activities, of every kind that asks something, and what
happens under them: for comparing what rules come to that are judged, and that are not."""

from typing import Any

from hypothesis import strategies as st

from loyalty.purchase import Line, LineKind
from tests.plugins.points.till import program, rule

CONDITIONS = (
    'purchase.total > amount("20.00")', 'purchase.currency == "USD"', "local.hour < 12 // early",
    '"coffee" in purchase.categories', 'member.tier == "gold"', "size(purchase.brands) > 1",
    "100 / purchase.discount > 2", 'member.attributes["vip"] == true',
    'purchase.lines[1].attributes.season == "winter"', 'choice.track == "fast"',
)  # fmt: skip
WHILE_DOING = (
    'activity.type == "flight"', "local.hour < 12", 'member.tier == "silver"', "local.hour > 12",
    "activity.attributes.miles > 20", "activity.attributes.vip == true",
    'member.attributes["vip"] == true', 'choice.track == "fast"',
)  # fmt: skip
SELECTIONS: tuple[dict[str, Any], ...] = (
    {"brands": ["acme"]}, {"categories": ["coffee"]}, {"categories": ["coffee/beans", "garden"]},
    {"skus": ["s1"], "brands": ["house"]}, {"attributes": {"season": ["winter"]}},
    {"choice": "bonus"},
)  # fmt: skip
CHOICES = [
    {"id": "track", "label": "Track", "default": ["fast"],
     "options": [{"id": "fast", "label": "Fast"}, {"id": "slow", "label": "Slow"}]},
    {"id": "bonus", "label": "Bonus", "default": ["c"],
     "options": [{"id": "c", "label": "C", "categories": ["coffee"]}]},
]  # fmt: skip
ALSO = [{"unit": "miles"}, {"unit": "stars"}]
STEPS = [{"from": "0", "points": "1"}, {"from": "10", "points": "3"}]


@st.composite
def rates(draw: st.DrawFn, of_activity: bool) -> dict[str, Any]:
    """What a rule gives; `points` of "0" where only some lines earn."""
    match draw(st.integers(0, 7)):
        case 0:
            return {"bonus": {"factor": "1.5", "of": draw(st.sampled_from(["base", "granted"]))}}
        case 1:
            prizes = [{"points": "5", "weight": "1"}]
            return {"count": "visit",
                    "chance": {"odds": "o1", "probability": "0.5", "prizes": prizes}}  # fmt: skip
        case 2:
            counts = ["visit"] if of_activity else ["visit", "quantity"]
            return {"points": "3", "count": draw(st.sampled_from(counts))}
        case _ if of_activity:
            rate = draw(st.sampled_from(["points", "levels", "brackets"]))
            keys = {"count": "attribute", "attribute": "miles", "per_units": "10"}
            return keys | {rate: "1" if rate == "points" else STEPS}
        case 3:
            return {draw(st.sampled_from(["levels", "brackets"])): STEPS}
        case 4:
            return {"points": "0", "rates": [{"brands": ["acme"], "points": "2"}]}
        case 5:
            return {"points": "2", "per": {"EUR": "1.00"}}
        case _:
            paths = draw(st.lists(st.sampled_from(["coffee", "coffee/beans", "garden"]),
                                  min_size=1, unique=True))  # fmt: skip
            some = {one: draw(st.sampled_from(["0", "0.5", "2"])) for one in paths} | {"tea": "1"}
            categories = [{"category": one, "points": rate} for one, rate in some.items()]
            return {"points": draw(st.sampled_from(["0", "1"])), "categories": categories}


@st.composite
def rules(draw: st.DrawFn, at: int) -> dict[str, Any]:
    of_activity = draw(st.booleans())
    keys = draw(rates(of_activity))
    some: dict[str, Any] = {
        "when": st.sampled_from(WHILE_DOING if of_activity else CONDITIONS),
        "effective": st.sampled_from([{"starts": "2026-03-12"}, {"ends": "2026-03-11"}]),
        "limits": st.just([{"times": 1, "period": "day"}]),
        "caps": st.just([{"points": "7", "period": "day"}]),
    }
    if of_activity:
        keys["activities"] = draw(st.sampled_from([["flight"], ["flight", "check_in"]]))
    else:
        some |= {
            "include": st.sampled_from(SELECTIONS), "exclude": st.sampled_from(SELECTIONS),
            "kinds": st.just(["SHIPPING", "PRODUCT"]),
        }  # fmt: skip
    if not {"bonus", "chance"} & keys.keys():
        some["promotion"] = st.just(True)
        some["over"] = st.just({"period": "month"})
        if not of_activity and "count" not in keys:
            least = dict.fromkeys(keys.get("per", {"USD": "1"}), "15.00")
            some["minimum_purchase"] = st.just(least)
            some["minimum_lost"] = st.just("recompute")
    if "bonus" not in keys:
        some["also"] = st.sampled_from([ALSO, ALSO[:1]])
    likely = [name for name in ("when", "over", "also") if name in some]
    for name in draw(st.lists(st.sampled_from([*some, *likely]), max_size=4, unique=True)):
        keys[name] = draw(some[name])
    if of_activity and draw(st.booleans()):  # such as are asked together
        keys["when"] = draw(st.sampled_from(WHILE_DOING[:4]))
        keys.pop("effective", None)
    if "minimum_purchase" not in keys:
        keys.pop("minimum_lost", None)
    if any("choice" in keys.get(name, ()) for name in ("include", "exclude")):
        keys.pop("over", None)  # it adds up what is the same for every member
    if draw(st.integers(0, 2)) == 0:
        extra = bool(keys.get("promotion") or "bonus" in keys)
        group = draw(st.sampled_from(["best", "first"]))
        keys |= {"group": f"{group}-{'extra' if extra else 'base'}", "priority": 100 - at}
    return rule(f"r{at}", **keys)


@st.composite
def programs(draw: st.DrawFn) -> dict[str, Any]:
    groups = [{"id": f"{one}-{what}", "grants": one}
              for one in ("best", "first") for what in ("base", "extra")]  # fmt: skip
    drawn = [draw(rules(at)) for at in range(draw(st.integers(2, 12)))]
    if draw(st.booleans()):  # a return settles it, and conditions that are asked together
        drawn += [rule("sum", points="0.3", over={"period": "month"})]
        drawn += [
            rule(f"do-{at}", activities=["flight"], count="visit", points="2", when=when)
            for at, when in enumerate(WHILE_DOING[1:4])
        ]
    caps = draw(st.sampled_from([[], [], [{"points": "15", "period": "month"}]]))
    return program(*drawn, currency="USD", groups=groups, choices=CHOICES, caps=caps)


@st.composite
def baskets(draw: st.DrawFn) -> tuple[Line, ...]:
    return tuple(
        Line(
            id=str(at), amount=draw(st.integers(0, 30_00)), quantity=2_000,
            category=draw(st.sampled_from([None, "coffee", "coffee/beans", "garden", "tea"])),
            brand=draw(st.sampled_from([None, "acme", "house"])),
            sku=draw(st.sampled_from([None, "s1", "s2"])),
            kind=draw(st.sampled_from([LineKind.PRODUCT, LineKind.PRODUCT, LineKind.SHIPPING])),
            attributes=draw(st.sampled_from([{}, {"season": "winter"}])),
        )
        for at in range(draw(st.sampled_from([3, 2, 4, 1, 0])))
    )  # fmt: skip


STEP = st.tuples(
    st.sampled_from(["buy", "buy", "do", "do", "return", "return"]), baskets(),
    st.sampled_from(["USD", "USD", "EUR", "HKD"]), st.sampled_from(["flight", "check_in"]),
    st.sampled_from([{}, {"miles": 25}, {"miles": "180.5", "vip": True}, {"miles": "far"}]),
    st.integers(0, 99),
)  # fmt: skip
