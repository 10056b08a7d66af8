"""In none of these stories is a point spent: no return takes points of other rules and purchases,
gives them under other terms, or owes what ended."""

from typing import Any

import pytest

from tests.graphql.documents import CORRECT

POLICIES = pytest.mark.parametrize("policy", ["deficit", "clamp", "refuse"])
ONE: dict[str, Any] = {"accounting_class": "MATERIAL_RIGHT", "points": "1", "per": {"USD": "1.00"}}
MONTH: Any = {"over": {"period": "month"}}


def rule(id: str, life: str | None = None, **keys: Any) -> Any:
    terms = {"terms": {"lifetime": {"span": life}}} if life else {"terms": {}}
    return ONE | {"id": id, "label": id} | terms | keys


def config(policy: str, *rules: Any, **keys: Any) -> Any:
    for one in rules:
        one["terms"] = one["terms"] | {"take_back": policy}
    return {"unit": "points", "rules": list(rules)} | keys


def of(total: str, category: str) -> Any:
    return {"lines": [{"id": "1", "amount": total, "category": category}]}


def part(amount: str) -> Any:
    return {"id": "1", "amount": amount}


TEN = {"per": {"USD": "10.00"}, **MONTH, "include": {"categories": ["t"]}}


@POLICIES
async def test_another_purchase_s_points_are_not_lent(tell: Any, policy: str) -> None:
    """The share of 9.00 misses the point that was recalled, and the return gives it again: they are
    one and the same."""
    story = await tell(
        "2026-01-05T10:00",
        config(
            policy, rule("ten", "P3D", **TEN), rule("mid", "P3D", include={"categories": ["m"]})
        ),
    )
    first = await story.buys("10.00", **of("10.00", "t"))
    second = await story.buys("5.00", **of("5.00", "m"))
    await story.brings_back(first, part("1.00"))
    await story.brings_back(first)
    assert await story.available() == "5"
    await story.comes("2026-01-15T10:00")
    await story.brings_back(second)
    balance = await story.has()
    assert (balance["available"], balance["deficit"]) == ("0", "0")


@POLICIES
async def test_points_that_never_end_do_not(tell: Any, policy: str) -> None:
    story = await tell(
        "2026-01-05T10:00",
        config(
            policy,
            rule("ten", "P3D", **TEN),
            rule("mid", "P10D", per={"USD": "10.00"}, include={"categories": ["t"]}),
            rule("plain", include={"categories": ["p"]}),
        ),
    )
    first = await story.buys("10.00", **of("10.00", "t"))
    await story.buys("50.00", **of("50.00", "p"))
    await story.brings_back(first, part("1.00"))
    await story.brings_back(first)
    assert await story.available() == "50"
    await story.comes("2026-02-15T10:00")
    assert await story.available() == "50"


@POLICIES
async def test_what_a_return_gave_is_not_owed_once_it_ended(tell: Any, policy: str) -> None:
    """10 points, 4.40 back and one more recalled; 5 end; 0.60 back: 1 given again, ended; the rest:
    of 5 the lot says 4."""
    story = await tell("2026-01-05T10:00", config(policy, rule("one", "P3D", **MONTH)))
    first = await story.buys("10.00")
    await story.brings_back(first, part("4.40"))
    assert await story.available() == "5"
    await story.comes("2026-01-15T10:00")
    await story.brings_back(first, part("0.60"))
    await story.brings_back(first)
    balance = await story.has()
    assert (balance["available"], balance["deficit"]) == ("0", "0")


async def test_and_it_is_no_use_any_more(tell: Any) -> None:
    once = {"limits": [{"times": 1, "period": "lifetime"}]}
    story = await tell("2026-01-05T10:00", config("clamp", rule("one", "P3D", **MONTH, **once)))
    first = await story.buys("10.00")
    await story.brings_back(first, part("4.40"))
    await story.comes("2026-01-15T10:00")
    await story.brings_back(first, part("0.60"))
    await story.brings_back(first)
    assert story.given(await story.buys("10.00")) == {"one": "10"}


@POLICIES
@pytest.mark.parametrize("swept", [False, True])
async def test_what_a_return_gave_is_not_owed_whether_or_not_a_sweep_ran(
    tell: Any, policy: str, swept: bool
) -> None:
    """Of 54.93 a level of 40: 30.04 back keeps it, 22 are given again. All has ended when the rest
    comes back."""
    levels = {"levels": [{"from": "20", "points": "40"}]}
    one = rule("level", "P7D", **MONTH, **levels)
    del one["points"]
    story = await tell("2026-01-05T10:00", config(policy, one))
    first = await story.buys("54.93")
    await story.comes("2026-01-07T10:00")
    await story.brings_back(first, part("30.04"))
    assert await story.available() == "40"
    await story.comes("2026-01-15T10:00", swept=swept)
    await story.brings_back(first)
    balance = await story.has()
    assert (balance["available"], balance["deficit"]) == ("0", "0")


@POLICIES
@pytest.mark.parametrize("swept", [False, True])
async def test_what_ended_is_taken_whether_or_not_a_sweep_ran(
    tell: Any, policy: str, swept: bool
) -> None:
    story = await tell(
        "2026-01-05T10:00",
        config(
            policy,
            rule("one", "P3D", **MONTH, include={"categories": ["t"]}),
            rule("plain", include={"categories": ["p"]}),
        ),
    )
    first = await story.buys("10.00", **of("10.00", "t"))
    await story.buys("50.00", **of("50.00", "p"))
    await story.comes("2026-01-15T10:00", swept=swept)
    for amount in ("4.40", "2.20", "2.30", "1.10"):
        await story.brings_back(first, part(amount))
    assert await story.lots() == [("", "50")]


async def test_what_another_purchase_has_pending_stays_so(tell: Any) -> None:
    mid = rule("mid", per={"USD": "1.00"}, include={"categories": ["m"]})
    mid["terms"] = {"pending_days": 14}
    step = {
        "points": "500",
        "per": {"USD": "100.00"},
        "whole_steps": True,
        **MONTH,
        "include": {"categories": ["t"]},
    }
    story = await tell("2026-01-05T10:00", config("deficit", rule("step", **step), mid))
    first = await story.buys("100.00", **of("100.00", "t"))
    await story.buys("400.00", **of("400.00", "m"))
    await story.brings_back(first, part("1.00"))
    await story.brings_back(first)
    balance = await story.has()
    assert (balance["available"], balance["pending"], balance["deficit"]) == ("0", "400", "0")


@POLICIES
async def test_corrections_of_what_ended_owe_nothing(tell: Any, policy: str) -> None:
    story = await tell(
        "2026-01-05T10:00", config(policy, rule("ten", "P3D", per={"USD": "10.00"}, **MONTH))
    )
    await story.buys("7.00", externalId="o-1")
    second = await story.buys("7.00")
    await story.comes("2026-01-15T10:00")
    for revision, total in ((2, "1.00"), (3, "7.00"), (4, "1.00")):
        given = {
            "source": "shop",
            "externalId": "o-1",
            "currency": "USD",
            "revision": revision,
            "total": total,
        }
        payload = (await story.brand.service.run(CORRECT, input=given))["correctPurchase"]
        assert payload["userErrors"] == [], (revision, payload)
        balance = await story.has()
        assert (balance["available"], balance["deficit"]) == ("0", "0"), revision
    await story.brings_back(second)
    balance = await story.has()
    assert (balance["available"], balance["deficit"]) == ("0", "0")
