"""Conditions over the API: which names there are, and what is wrong with a text."""

from typing import Any

from loyalty.conditions import PURCHASE, STANDING

CHECK = """query ($source: String!, $on: ConditionSubject!, $currency: String) {
  checkCondition(source: $source, on: $on, currency: $currency) {
    ok parts reads fault { message line column excerpt } } }"""


async def check(brand: Any, source: str, on: str = "PURCHASE", currency: str | None = None) -> Any:
    answer = await brand.admin.run(CHECK, source=source, on=on, currency=currency)
    return answer["checkCondition"]


async def test_the_names_are_told_with_their_types(brand: Any) -> None:
    asked = "{ conditionNames { on names { name type description } } }"
    told = (await brand.service.run(asked))["conditionNames"]
    assert [one["on"] for one in told] == ["PURCHASE", "ACTIVITY", "MEMBER"]
    assert [name["name"] for name in told[0]["names"]] == [name.name for name in PURCHASE.names]
    assert told[0]["names"][0] == {
        "name": "purchase.total",
        "type": "int (minor units)",
        "description": "What was paid, tax and all.",
    }
    (member,) = (await brand.service.run("{ conditionNames(on: MEMBER) { names { name } } }"))[
        "conditionNames"
    ]
    assert len(member["names"]) == len(STANDING.names)


async def test_a_condition_is_checked_and_cut_in_its_parts(brand: Any) -> None:
    source = 'purchase.total >= amount("25.00") && "home" in purchase.categories'
    assert await check(brand, source, currency="EUR") == {
        "ok": True,
        "parts": ['purchase.total >= amount("25.00")', '"home" in purchase.categories'],
        "reads": ["purchase.categories", "purchase.total"],
        "fault": None,
    }


async def test_what_is_wrong_is_told_with_its_place(brand: Any) -> None:
    assert await check(brand, "local.hour > 3 &&\n  member.teir == 'gold'", on="MEMBER") == {
        "ok": False,
        "parts": [],
        "reads": [],
        "fault": {
            "message": "there is no name member.teir: did you mean member.tier?",
            "line": 2,
            "column": 3,
            "excerpt": "  member.teir == 'gold'\n  ^",
        },
    }
    line = await check(brand, "purchase.lines.exists(l, l.ammount > 5)")
    assert line["fault"] == {
        "message": 'a line has no "ammount": did you mean amount?',
        "line": 1,
        "column": 28,
        "excerpt": f"purchase.lines.exists(l, l.ammount > 5)\n{' ' * 27}^",
    }
    needing = await check(brand, 'purchase.total > amount("1")')
    assert (
        needing["fault"]["message"]
        == "amount(...) needs a currency, and none is given here: set `currency`"
    )
    long = await check(brand, "true || " * 500 + "true")
    assert long["fault"]["message"] == "is longer than 4000 characters"
