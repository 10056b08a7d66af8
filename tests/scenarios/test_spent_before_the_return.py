"""Returns of goods whose points were spent, under programs that bear it or refuse it."""

from typing import Any

import pytest

from tests.graphql.brand import POINTS
from tests.graphql.documents import RETURN

PLAIN: Any = POINTS["rules"]
BASE: dict[str, Any] = {**PLAIN[0], "label": "Points"}
TEN = {**BASE, "per": {"USD": "10.00"}, "over": {"period": "month"}}
MILE = {
    **BASE, "points": "500", "per": {"USD": "1000.00"}, "whole_steps": True,
    "over": {"period": "year"},
}  # fmt: skip


def program(policy: str, *rules: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"unit": "points", "rules": list(rules), "terms": {"take_back": policy}} | keys


async def test_what_was_never_taken_is_not_given_back(tell: Any) -> None:
    """7.00 and 7.00 at a point per 10.00: the point is the second's, and spent. The first takes it,
    in vain; the second's share goes back in vain as well, and once is once too often."""
    story = await tell("2026-01-05T10:00", program("clamp", TEN))
    first, second = await story.buys("7.00"), await story.buys("7.00")
    await story.redeems("1", capture=True)
    await story.brings_back(first)
    assert await story.available() == "0"
    await story.brings_back(second)
    assert await story.available() == "0"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)])
async def test_what_the_program_bore_stands_for_one_point_only(
    tell: Any, order: tuple[int, ...]
) -> None:
    """After the first came back and the program bore the point, 7.00 more earn one again: what is
    spent then is borne again, and nothing is left of nothing."""
    story = await tell("2026-01-05T10:00", program("clamp", TEN))
    first, second = await story.buys("7.00"), await story.buys("7.00")
    await story.redeems("1", capture=True)
    await story.brings_back(first)
    third = await story.buys("7.00")
    assert story.given(third) == {"Points": "1"}
    fourth = await story.buys("7.00")
    assert await story.available() == "2"  # of 21.00
    await story.redeems("1", capture=True)
    left = [second, third, fourth]
    for at in order:
        await story.brings_back(left[at])
    assert await story.available() == "0"


async def test_a_level_of_a_year_is_not_given_back_either(tell: Any) -> None:
    story = await tell("2026-01-05T10:00", program("clamp", MILE))
    first, second = await story.buys("1099.00"), await story.buys("980.01")
    await story.redeems("1000", capture=True)
    for amount in ("100.00", "999.00"):
        await story.brings_back(first, {"id": "1", "amount": amount})
    await story.brings_back(second)
    assert await story.available() == "0"


async def test_a_return_that_takes_nothing_is_not_refused(tell: Any) -> None:
    story = await tell("2026-01-05T10:00", program("refuse", MILE))
    first, second = await story.buys("1099.00"), await story.buys("980.01")
    assert await story.available() == "1000"
    await story.brings_back(first, {"id": "1", "amount": "100.00"})
    assert await story.available() == "500"  # of 1,979.01
    await story.brings_back(first, {"id": "1", "amount": "999.00"})
    assert await story.available() == "0"  # of 980.01
    await story.brings_back(second)
    assert await story.available() == "0"


async def test_a_return_that_takes_what_was_spent_is_refused(tell: Any) -> None:
    """By the share of its lines, and by what its period earns without it."""
    story = await tell("2026-01-05T10:00", program("refuse", TEN))
    first, second = await story.buys("7.00"), await story.buys("7.00")
    await story.redeems("1", capture=True)
    for purchase in (first, second):
        given = {
            "source": purchase["source"], "purchaseExternalId": purchase["externalId"],
            "returnId": story.brand.key(), "occurredAt": story.brand.now(), "lines": [],
        }  # fmt: skip
        payload = (await story.brand.service.run(RETURN, input=given))["reversePurchase"]
        [error] = payload["userErrors"]
        assert error["code"] == "INSUFFICIENT_BALANCE"
    third = await story.buys("6.00")  # 20.00: the second point
    await story.brings_back(third)
    assert await story.available() == "0"


async def test_what_the_program_bore_is_given_of_its_budget(tell: Any) -> None:
    caps = [{"points": "100", "period": "month", "per": "program"}]
    story = await tell("2026-01-05T10:00", program("clamp", BASE, caps=caps))
    first = await story.buys("150.00")
    assert story.given(first) == {"Points": "100"}
    await story.redeems("70", capture=True)
    returned = await story.brings_back(first)
    assert [one["amount"] for one in returned["takenBack"]] == ["30"]
    assert story.given(await story.buys("150.00")) == {"Points": "30"}


async def test_half_of_it_came_back_and_was_spent(tell: Any) -> None:
    caps = [{"points": "100", "period": "month"}]
    story = await tell("2026-01-05T10:00", program("clamp", BASE, caps=caps))
    first = await story.buys("100.00")
    await story.redeems("100", capture=True)
    await story.brings_back(first, {"id": "1", "amount": "50.00"})
    assert story.given(await story.buys("80.00")) == {}
    await story.brings_back(first)
    assert story.given(await story.buys("80.00")) == {}


async def test_once_for_life_is_once_where_it_was_spent(tell: Any) -> None:
    welcome = {
        **{key: value for key, value in BASE.items() if key != "per"}, "id": "welcome",
        "label": "Welcome", "count": "visit", "points": "500",
        "limits": [{"times": 1, "period": "lifetime"}],
    }  # fmt: skip
    story = await tell("2026-01-05T10:00", program("clamp", welcome))
    first = await story.buys("9.00")
    await story.redeems("500", capture=True)
    await story.brings_back(first)
    assert story.given(await story.buys("9.00")) == {}


async def test_once_for_life_is_free_again_where_all_of_it_was_there(tell: Any) -> None:
    welcome = {
        **{key: value for key, value in BASE.items() if key != "per"}, "id": "welcome",
        "label": "Welcome", "count": "visit", "points": "500",
        "limits": [{"times": 1, "period": "lifetime"}],
    }  # fmt: skip
    story = await tell("2026-01-05T10:00", program("clamp", welcome))
    await story.brings_back(await story.buys("9.00"))
    assert story.given(await story.buys("9.00")) == {"Welcome": "500"}
