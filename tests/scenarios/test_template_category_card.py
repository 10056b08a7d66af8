"""The template category-card: a chosen category with a quarterly cap, money asked for."""

from typing import Any

from tests.scenarios.teller import Teller

ALL, MORE = "1 % on everything", "4 % more in your category"
CHOOSE = """mutation($input: ChooseInput!) { choose(input: $input) {
  choice { current mayChange nextChangeAt } userErrors { code field message } } }"""
REQUEST = """mutation($input: RequestPayoutInput!) { requestPayout(input: $input) {
  payout { id amount state } userErrors { code field message } } }"""


async def chooses(story: Teller, option: str) -> Any:
    given = {
        "member": {"externalId": "ada"}, "program": "points", "choice": "category",
        "options": [option], "idempotencyKey": story.brand.key(),
    }  # fmt: skip
    return (await story.brand.member("ada").run(CHOOSE, input=given))["choose"]


def basket(total: str, category: str) -> dict[str, Any]:
    return {"lines": [{"id": "1", "amount": total, "category": category}]}


async def test_one_percent_and_five_in_the_chosen_category(starts: Any) -> None:
    story = await starts("category-card", "2026-01-05T12:00")
    assert story.given(await story.buys("100.00", **basket("100.00", "fuel"))) == {ALL: "1.00"}

    await chooses(story, "fuel")

    fuel = await story.buys("100.00", **basket("100.00", "fuel/diesel"))
    assert story.given(fuel) == {ALL: "1.00", MORE: "4.00"}
    assert story.given(await story.buys("100.00", **basket("100.00", "travel"))) == {ALL: "1.00"}


async def test_the_extra_ends_with_the_cap_and_begins_anew_with_the_quarter(starts: Any) -> None:
    story = await starts("category-card", "2026-01-05T12:00")
    await chooses(story, "groceries")

    first = await story.buys("1450.00", **basket("1450.00", "groceries"))
    second = await story.buys("100.00", **basket("100.00", "groceries"))
    third = await story.buys("100.00", **basket("100.00", "groceries"))
    await story.comes("2026-04-01T00:10")
    spring = await story.buys("100.00", **basket("100.00", "groceries"))

    assert story.given(first) == {ALL: "14.50", MORE: "58.00"}
    assert story.given(second) == {ALL: "1.00", MORE: "2.00"}
    assert story.given(third) == {ALL: "1.00"}
    assert story.given(spring) == {ALL: "1.00", MORE: "4.00"}


async def test_a_return_makes_room_under_the_cap_again(starts: Any) -> None:
    story = await starts("category-card", "2026-01-05T12:00")
    await chooses(story, "groceries")
    whole = await story.buys("1500.00", **basket("1500.00", "groceries"))

    await story.brings_back(whole, {"id": "1", "amount": "500.00"})
    again = await story.buys("600.00", **basket("600.00", "groceries"))

    assert story.given(again) == {ALL: "6.00", MORE: "20.00"}


async def test_the_category_changes_once_a_quarter(starts: Any) -> None:
    story = await starts("category-card", "2026-01-05T12:00")
    await chooses(story, "fuel")
    await story.comes("2026-01-06T12:00")
    assert (await chooses(story, "travel"))["userErrors"] == []
    await story.comes("2026-01-07T12:00")

    [refused] = (await chooses(story, "groceries"))["userErrors"]
    await story.comes("2026-04-01T00:00")
    spring = await chooses(story, "groceries")

    assert refused["code"] == "LIMIT_REACHED"
    assert spring["choice"]["current"] == ["groceries"]


async def test_money_is_pending_for_two_weeks_then_asked_for_from_25_on(starts: Any) -> None:
    story = await starts("category-card", "2026-01-05T12:00")
    await story.buys("3000.00")

    async def asks() -> Any:
        given = {
            "member": {"externalId": "ada"}, "program": "points",
            "idempotencyKey": story.brand.key(),
        }  # fmt: skip
        return (await story.brand.member("ada").run(REQUEST, input=given))["requestPayout"]

    [early] = (await asks())["userErrors"]
    await story.comes("2026-01-19T12:00")
    paid = await asks()
    await story.buys("2000.00")
    await story.comes("2026-02-10T12:00")
    [little] = (await asks())["userErrors"]

    assert (early["code"], little["code"]) == ("INSUFFICIENT_BALANCE", "INSUFFICIENT_BALANCE")
    assert (paid["payout"]["amount"], await story.available()) == ("30.00", "20.00")
