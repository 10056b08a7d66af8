"""Programs of any shape, their next versions, and baskets; every one from a seed."""

from copy import deepcopy
from random import Random
from typing import Any

from loyalty.purchase import Line, LineKind
from tests.plugins.points.reckoning.sold import Rule, Tenders
from tests.plugins.points.till import program, rule

PERIODS = ("day", "week", "month", "quarter", "year", "lifetime")
CATEGORIES = (None, "coffee", "coffee/beans", "garden", "grocery/milk")
LEVELS = [{"from": "3", "points": "5"}, {"from": "20", "points": "40.5"}]
BRACKETS = [
    {"from": "0", "points": "1"}, {"from": "10", "points": "7.5"}, {"from": "30", "points": "0"},
]  # fmt: skip
LISTS: list[Rule] = [
    {"categories": ["coffee"]}, {"categories": ["grocery", "coffee/beans"]}, {"skus": ["S1"]},
    {"attributes": {"organic": ["true"], "season": ["winter"]}},
]  # fmt: skip
GRANTS = ("all", "best", "first")


def a_program(dice: Random, *, sums: bool = True) -> Rule:
    rules = [_earning(dice, at, sums=sums) for at in range(dice.randint(1, 4))]
    rules += [_bonus(dice, at) for at in range(dice.randint(0, 3))]
    groups: list[Rule] = [{"id": name, "grants": dice.choice(GRANTS)} for name in "gp"]
    for group in groups:
        if dice.random() < 0.3:
            group["caps"] = _caps(dice, 60)
        mine = [one for one in rules if one.get("group") == group["id"]]
        if len({one.get("unit") for one in mine}) > 1:  # which is best is asked of one unit
            for one in mine:
                one.pop("unit", None)
    keys: Rule = {"groups": groups, "currency": "USD"}
    if dice.random() < 0.3:
        keys["caps"] = [cap | dice.choice([{}, {"per": "program"}]) for cap in _caps(dice, 150)]
    return program(*rules, **keys)


def next_version(dice: Random, config: Rule, number: int) -> Rule:
    """Rules go, come, and move between groups; those that add up stay, and caps of their own
    come. All caps go on: of one that went, a purchase that is heard of late asks what it held."""
    later = deepcopy(config)
    going = [one for one in later["rules"] if "over" not in one]
    if len(later["rules"]) > 1 and going and dice.random() < 0.5:
        later["rules"].remove(dice.choice(going))
    for one in later["rules"]:
        if "over" in one and "caps" not in one and dice.random() < 0.5:
            one["caps"] = _caps(dice, 40)
    if dice.random() < 0.7:
        fresh = _earning(dice, 0, sums=False) | {"id": f"new-{number}"}
        later["rules"].append({k: v for k, v in fresh.items() if k not in ("group", "priority")})
    for at, one in enumerate(later["rules"]):
        if "bonus" in one or "unit" in one or one.get("promotion") or dice.random() < 0.7:
            continue
        if "group" in one:
            del one["group"], one["priority"]
        elif not any("unit" in other for other in later["rules"] if other.get("group") == "g"):
            one |= {"group": "g", "priority": 100 * number + at}
    return later


def a_group_that_is_joined(dice: Random) -> list[Rule]:
    """A rule that adds up is under no cap, then in a group that has one, then under none again."""
    way: Rule = dice.choice([{"points": "0.333"}, {"points": "2.25", "whole_steps": True},
                       {"levels": LEVELS}, {"brackets": BRACKETS}])  # fmt: skip
    per = dice.choice(["1.00", "3.00", "10.00"])
    over = {"period": dice.choice(["week", "month", "month", "year"])}
    adding = rule("sum", per={"USD": per}, over=over, **way)
    other = rule("other", points=dice.choice(["1", "0.5"]), group="g")
    groups = [{"id": "g", "caps": _caps(dice, 60)}]
    return [program(one, other, groups=groups) for one in (adding, adding | {"group": "g"}, adding)]


def a_sum_under_shorter_caps(dice: Random) -> list[Rule]:
    """What one purchase lifts another one's day has, and whatever else the program gives then."""
    way: Rule = dice.choice([{"points": "0.333"}, {"points": "2.25", "whole_steps": True},
                       {"levels": LEVELS}, {"brackets": BRACKETS}])  # fmt: skip
    over = {"period": dice.choice(["week", "month", "year"])}
    adding = rule("sum", per={"USD": dice.choice(["1.00", "10.00"])}, over=over, **way)
    other = rule("other", per={"EUR": "1.00"}, points=dice.choice(["1", "0.5"]))
    period = {
        "period": dice.choice(["day", "day", "week"]),
        **dice.choice([{}, {"per": "program"}]),
    }
    return [program(adding, other, caps=[{"points": str(dice.randint(20, 300))} | period])]


def a_cap_that_goes_and_comes(dice: Random) -> list[Rule]:
    """Of one rule or two; what those that lack the cap give is under none."""
    caps = [{"points": str(dice.randint(20, 90)), "period": dice.choice(["month", "year"])}]
    found = list[Rule]()
    for number in range(6):
        keys: Rule = {"caps": caps} if number == 0 or dice.random() < 0.5 else {}
        found.append(program(*map(rule, dice.choice(["a", "b", "ab"])), **keys))
    return found


def versions_of(dice: Random, *, sums: bool, count: int) -> list[Rule]:
    found = [a_program(dice, sums=sums)]
    for number in range(1, count):
        found.append(next_version(dice, found[-1], number))
    return found


def a_basket(dice: Random) -> tuple[tuple[Line, ...], bool, Tenders]:
    """Its lines, whether their amounts contain the tax, and how it was paid."""
    lines, tax_included = list[Line](), dice.random() < 0.6
    for at in range(dice.randint(1, 4)):
        amount = dice.randint(1, 4000)
        discount = dice.choice([0, 0, 0, 0, dice.randint(0, amount), amount])
        lines.append(
            Line(
                id=str(at), amount=amount, discount=discount,
                tax=dice.choice([0, (amount - discount) // 10]),
                quantity=dice.randint(1, 4) * 1000, category=dice.choice(CATEGORIES),
                sku=dice.choice([None, "S1", "S2"]),
                kind=dice.choice([LineKind.PRODUCT] * 4 + [LineKind.SHIPPING] * bool(at)),
                attributes=dice.choice([{}, {"organic": True}, {"season": "winter"}]),
            )
        )  # fmt: skip
    total = sum(line.net + (0 if tax_included else line.tax) for line in lines)
    if total < 4 or dice.random() < 0.5:
        return tuple(lines), tax_included, [("OTHER", total)]
    card = dice.randint(1, total - 1)
    return tuple(lines), tax_included, [("CARD", card), ("POINTS", total - card)]


def _period(dice: Random) -> Rule:
    if dice.random() < 0.2:
        return {"period": "rolling", "days": dice.randint(1, 9)}
    starts = dice.choice([{}, {}, {}, {"day_starts_at": dice.choice(["06:00", "02:30"])}])
    return {"period": dice.choice(PERIODS), **starts}


def _caps(dice: Random, most: int) -> list[Rule]:
    return [
        {"points": dice.choice([str(dice.randint(1, most)), "12.5"]), **_period(dice)}
        for _ in range(dice.choice([1, 1, 2]))
    ]


def _earning(dice: Random, at: int, *, sums: bool) -> Rule:
    keys: Rule = {"points": dice.choice(["1", "0.5", "2.25", "10", "0.333"])}
    count = dice.choice(["amount", "amount", "amount", "visit", "quantity"])
    if count == "amount":
        per = dice.choice(["1.00", "3.00", "10.00"])
        keys["per"] = {"USD": per, **dice.choice([{}, {"EUR": "2.00"}])}
        keys["base"] = dice.choice(["net", "net_with_tax", "gross", "gross_with_tax"])
    else:
        keys |= {"count": count, "per_units": dice.choice(["1", "2", "0.5"])}
    if sums and dice.random() < 0.4:
        keys["over"] = _period(dice)
    elif dice.random() < 0.4:
        keys["rounded"] = "line"
    keys |= _rates(dice, keys)
    if "levels" in keys or "brackets" in keys:
        del keys["points"]
    elif count == "amount" and "whole_steps" not in keys and dice.random() < 0.2:
        _in_percent(dice, keys)
    if dice.random() < 0.2:
        keys["also"] = [{"unit": dice.choice(["miles", "credits"])}]
    elif dice.random() < 0.2:
        keys["unit"] = "credits"
    if dice.random() < 0.35:
        keys |= {"group": "g", "priority": at + 1}
    elif dice.random() < 0.1:
        keys["promotion"] = True
    made = rule(f"earn-{at}", **keys | _bounds(dice, keys))
    left_out = ("points", "per") if "percent" in made else ()
    return {key: value for key, value in made.items() if key not in left_out}


def _rates(dice: Random, keys: Rule) -> Rule:
    if "rounded" not in keys and dice.random() < 0.25:
        return dice.choice([{"levels": LEVELS}, {"brackets": BRACKETS}])
    found: Rule = {}
    if dice.random() < 0.4:
        beans = {"category": "coffee/beans", "points": dice.choice(["0", "4.5"])}
        found["categories"] = [{"category": "coffee", "points": "3"}, beans][: dice.randint(1, 2)]
    if dice.random() < 0.2:
        found["rates"] = [{"skus": ["S1"], "points": "5"}]
    if dice.random() < 0.3 and not ("over" in keys and found):
        found["whole_steps"] = True
    return found


def _in_percent(dice: Random, keys: Rule) -> None:
    del keys["points"], keys["per"]
    keys["percent"] = dice.choice(["5", "2.5", "33.333"])
    for name in ("categories", "rates"):
        if name in keys:
            keys[name] = [
                {key if key != "points" else "percent": value for key, value in one.items()}
                for one in keys[name]
            ]


def _bonus(dice: Random, at: int) -> Rule:
    factor = dice.choice(["1.1", "1.5", "2", "3.333"])
    keys: Rule = {"bonus": {"factor": factor, "of": dice.choice(["base", "granted"])}}
    keys |= dice.choice([{}, {}, {"rounded": "line"}])
    keys |= dice.choice([{}, {}, {"group": "p", "priority": 9 - at}])
    return rule(f"bonus-{at}", **keys | _bounds(dice, keys))


def _bounds(dice: Random, keys: Rule) -> Rule:
    """What keeps a rule from giving, or from giving as much."""
    currencies = keys.get("per") or {"USD": ""}
    least = {currency: dice.choice(["10.00", "25.00"]) for currency in currencies}
    ways: list[tuple[float, Any]] = [
        (0.25, {"include": dice.choice(LISTS)}),
        (0.25, {"exclude": dice.choice(LISTS)}),
        (0.2, {"caps": _caps(dice, 40)}),
        (0.2, {"limits": [{"times": dice.randint(1, 3), **_period(dice)}]}),
        (0.2, {"minimum_purchase": least, "minimum_lost": dice.choice(["keep", "recompute"])}),
        (0.1, {"paid_with": {"kinds": ["CARD"]}}),
        (0.1, {"not_paid_with": {"kinds": ["POINTS"]}}),
        (0.3, dice.choice([{"at_least": "2"}, {"at_most": "6"}, {"at_most": "11"}])),
        (0.2, {"effective": dice.choice([{"starts": "2026-03-05"}, {"ends": "2026-03-20"}])}),
    ]
    found = {"rounding": dice.choice(["floor", "half_up", "half_even", "ceiling"])}
    for likely, way in ways:
        found |= way if dice.random() < likely else {}
    return found
