"""The template adobe-commerce: orders after the return window, what members do within limits."""

from typing import Any

ORDER = "1 point a dollar"


async def test_an_order_counts_when_the_return_window_is_over(starts: Any) -> None:
    story = await starts("adobe-commerce", "2026-01-05T10:00")
    lines = [
        {"id": "coat", "amount": "120.00", "discount": "14.50", "tax": "8.44"},
        {"id": "post", "amount": "6.00", "kind": "SHIPPING"},
    ]

    purchase = await story.buys("119.94", lines=lines, taxIncluded=False)

    assert story.given(purchase) == {ORDER: "105"}
    balance = await story.has()
    assert (balance["available"], balance["pending"]) == ("0", "105")
    await story.comes("2026-01-19T10:00")
    assert await story.available() == "105"
    assert await story.lots() == [("2027-01-05", "105")]


async def test_what_goes_back_within_the_window_was_never_spent(starts: Any) -> None:
    story = await starts("adobe-commerce", "2026-01-05T10:00")
    purchase = await story.buys("105.50")
    assert (await story.asks_for("100"))["userErrors"][0]["code"] == "INSUFFICIENT_BALANCE"

    await story.comes("2026-01-10T10:00")
    await story.brings_back(purchase)

    balance = await story.has()
    assert (balance["available"], balance["pending"], balance["deficit"]) == ("0", "0", "0")


async def test_what_a_gift_card_paid_earns_nothing_again(starts: Any) -> None:
    story = await starts("adobe-commerce", "2026-01-05T10:00")
    tenders = [
        {"kind": "CARD", "amount": "70.00"},
        {"kind": "GIFT_CARD", "amount": "30.00"},
    ]
    assert story.given(await story.buys("100.00", tenders=tenders)) == {ORDER: "70"}


async def test_each_activity_within_its_limits(starts: Any) -> None:
    story = await starts("adobe-commerce", "2026-03-02T10:00")

    async def points(activity: str, **attributes: Any) -> str:
        return "".join(story.given(await story.does(activity, **attributes)).values())

    assert [await points("registration") for _ in range(2)] == ["50", ""]
    assert [await points("newsletter") for _ in range(2)] == ["20", ""]
    assert [await points("review", sku="coat", stars=1) for _ in range(2)] == ["10", ""]
    for day in (3, 4, 5, 6):
        await story.comes(f"2026-03-0{day}T10:00", swept=False)
        assert await points("review", sku="coat") == "10"
    await story.comes("2026-03-07T10:00")
    assert await points("review", sku="coat") == "", "five a month"
    await story.comes("2026-04-01T10:00")
    assert await points("review", sku="coat") == "10"
    assert await story.available() == "130"


async def test_all_activities_together_are_capped_in_a_year(starts: Any) -> None:
    story = await starts("adobe-commerce", "2026-03-02T10:00")
    await story.does("registration")
    given = [story.given(await story.does("invitation")) for _ in range(4)]

    assert given == [*[{"For a friend": "100"}] * 2, {"For a friend": "50"}, {}]
    assert await story.available() == "300"
    await story.comes("2027-01-01T00:00")
    assert story.given(await story.does("invitation")) == {"For a friend": "100"}


async def test_a_birthday_gift_on_the_day_which_lives_thirty_days(starts: Any) -> None:
    story = await starts("adobe-commerce", "2026-06-14T10:00")
    await story.is_known(birthday="1990-06-15")
    early = await story.does("birthday")
    await story.comes("2026-06-15T10:00")
    on_the_day = await story.does("birthday")
    again = await story.does("birthday")

    gift = {"Happy birthday": "25"}
    assert [story.given(one) for one in (early, on_the_day, again)] == [{}, gift, {}]
    assert await story.lots() == [("2026-07-16", "25")]
    await story.comes("2026-07-16T00:00")
    assert await story.available() == "0"


async def test_hundreds_are_spent_and_come_back_with_a_cancelled_order(starts: Any) -> None:
    story = await starts("adobe-commerce", "2026-01-05T10:00")
    await story.buys("250.00")
    await story.comes("2026-12-20T10:00")

    assert (await story.asks_for("150"))["userErrors"][0]["code"] == "BAD_AMOUNT"
    spent = await story.redeems("200", capture=True)
    assert await story.available() == "50"
    await story.comes("2027-01-10T10:00")
    assert await story.available() == "0", "what was left has ended"
    undone = await story.reverses(spent)

    assert undone["userErrors"] == []
    assert await story.lots() == [("2027-02-09", "200")]


async def test_what_points_paid_earns_nothing_again(starts: Any) -> None:
    story = await starts("adobe-commerce", "2026-01-05T10:00")
    await story.buys("100.00")
    await story.comes("2026-01-19T10:00")
    dollar = await story.redeems("100")
    tenders = [
        {"kind": "CARD", "amount": "99.00"},
        {"kind": "POINTS", "amount": "1.00", "redemption": dollar},
    ]

    assert story.given(await story.buys("100.00", tenders=tenders)) == {ORDER: "99"}
