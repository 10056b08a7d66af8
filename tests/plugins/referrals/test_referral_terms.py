"""When a code counts, which order qualifies, and until when."""

from datetime import timedelta
from typing import Any

import pytest

from tests.graphql.documents import CORRECT

NOTHING, PAID = ("0", "0", "0"), ("0", "500", "0")


async def test_a_code_counts_with_the_first_order_too(circle: Any) -> None:
    story = await circle(attribution={"via": ["first_order"]})
    ada = await story.enrolls("ada")
    await story.enrolls("bob", referral_code=ada)
    assert (await story.of("bob"))["referredBy"] == []

    await story.buys("bob", "30.00", attributes={"referral_code": ada.lower().replace("-", " ")})
    assert (await story.has("ada"), await story.has("bob")) == (PAID, ("0", "250", "0"))
    assert (await story.case("bob"))["via"] == "first_order"


async def test_a_code_with_a_later_order_does_not_count(circle: Any) -> None:
    story = await circle()
    ada = await story.enrolls("ada")
    await story.enrolls("bob")
    await story.buys("bob", "30.00")
    await story.buys("bob", "30.00", attributes={"referral_code": ada})
    assert (await story.has("ada"), (await story.of("bob"))["referredBy"]) == (NOTHING, [])


async def test_the_first_code_counts(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada")
    eve = await story.enrolls("eve")
    await story.brings("ada", "bob")
    assert [one["code"] for one in (await story.claims("bob", eve))["userErrors"]] == [
        "ALREADY_EXISTS"
    ]
    await story.buys("bob", "30.00", attributes={"referral_code": eve})
    assert (await story.has("ada"), await story.has("eve")) == (PAID, NOTHING)


async def test_a_code_is_claimed_for_some_days_and_before_any_order(circle: Any) -> None:
    story = await circle(attribution={"claim_days": 7})
    ada = await story.enrolls("ada")
    for name in ("bob", "carl", "dora"):
        await story.enrolls(name)
    assert (await story.claims("bob", ada))["referral"]["state"] == "OPEN"
    await story.buys("carl", "1.00")
    assert [e["code"] for e in (await story.claims("carl", ada))["userErrors"]] == ["TOO_LATE"]
    await story.passes(days=8)
    assert [e["code"] for e in (await story.claims("dora", ada))["userErrors"]] == ["TOO_LATE"]


async def test_an_open_referral_ends(circle: Any) -> None:
    story = await circle(attribution={"open_for": "P30D"})
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    await story.brings("ada", "carl")
    await story.passes(days=29, hours=23)
    await story.buys("bob", "30.00")
    await story.passes(hours=1)
    await story.buys("carl", "30.00")

    assert (await story.state("bob"), await story.state("carl")) == ("PENDING", "EXPIRED")
    assert await story.has("ada") == PAID


async def test_an_order_told_late_counts_by_when_it_was(circle: Any) -> None:
    story = await circle(attribution={"open_for": "P30D"})
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    at = (story.brand.clock.now() + timedelta(days=10)).isoformat()
    await story.passes(days=40)
    await story.buys("bob", "30.00", occurredAt=at)
    assert (await story.has("ada"), await story.state("bob")) == (("500", "0", "0"), "PAID")


async def test_the_third_order_of_the_minimum_qualifies(circle: Any) -> None:
    story = await circle(qualify={"order": 3, "minimum": {"USD": "20.00"}})
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    first = await story.buys("bob", "20.00")
    await story.buys("bob", "19.99")
    await story.buys("bob", "20.00")
    await story.brings_back(first)
    await story.buys("bob", "20.00")
    assert await story.has("ada") == NOTHING
    await story.buys("bob", "20.00")
    assert await story.has("ada") == PAID


@pytest.mark.parametrize("worked", [True, False])
async def test_of_the_orders_that_it_takes_so_many_must_stand(circle: Any, worked: bool) -> None:
    """Whichever was the last; otherwise two of three could come back."""
    story = await circle(qualify={"order": 3, "minimum": {"USD": "20.00"}})
    await story.enrolls("ada")
    await story.brings("ada", "bob")

    async def then(*doing: Any, ada: Any) -> None:
        for one in doing:
            await one
        await story.works()
        assert (await story.has("ada"), (await story.has("bob"))[1]) == (
            ada, "250" if ada == PAID else "0",
        )  # fmt: skip

    first, second, third, fourth = [
        await story.buys("bob", "20.00", worked=worked) for _ in range(4)
    ]
    cent = {"id": "1", "amount": "0.01"}
    await then(story.brings_back(first, worked=worked), ada=PAID)  # 2, 3, 4
    await then(story.brings_back(second, cent, worked=worked), ada=NOTHING)  # 3, 4
    await then(story.buys("bob", "20.00", worked=worked), ada=PAID)  # 3, 4, 5
    await then(story.brings_back(fourth, worked=worked), ada=NOTHING)  # 3, 5
    again = [await story.buys("bob", "20.00", worked=worked) for _ in range(2)]
    await then(story.brings_back(again[1], worked=worked), ada=PAID)  # 3, 5, 6
    await then(story.brings_back(third, worked=worked), ada=NOTHING)  # 5, 6


async def test_only_products_count_and_only_in_a_currency_with_a_minimum(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    card = [{"id": "1", "amount": "20.00"}, {"id": "2", "amount": "30.00", "kind": "GIFT_CARD"}]
    await story.buys("bob", "50.00", lines=card)
    await story.buys("bob", "50.00", currency="EUR")
    assert await story.has("ada") == NOTHING


async def test_an_order_is_measured_before_tax_and_so_is_what_is_left_of_it(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada")
    orders = []
    for friend, lines, more in (
        ("bob", [("26.99", "2.00")], {}),
        ("carl", [("25.00", "2.00")], {"taxIncluded": False}),
        ("dora", [("25.00", "0.00"), ("20.00", "10.00")], {}),
    ):
        given = [{"id": f"{at}", "amount": one, "tax": tax} for at, (one, tax) in enumerate(lines)]
        total = {"bob": "26.99", "carl": "27.00", "dora": "45.00"}[friend]
        await story.brings("ada", friend)
        orders.append(await story.buys(friend, total, lines=given, **more))
    assert await story.has("ada") == ("0", "1000", "0")
    assert await story.state("bob") == "OPEN"
    await story.brings_back(orders[2], {"id": "1", "quantity": "1"})  # 25.00 are left
    assert await story.has("ada") == ("0", "1000", "0")
    await story.brings_back(orders[2], {"id": "0", "amount": "0.01"})
    assert await story.has("ada") == PAID


async def test_goods_that_all_come_back_leave_nothing_though_their_shipping_stays(
    circle: Any,
) -> None:
    story = await circle(qualify={})
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    sent = [{"id": "1", "amount": "20.00"}, {"id": "2", "amount": "9.00", "kind": "SHIPPING"}]
    order = await story.buys("bob", "29.00", lines=sent)
    assert await story.has("ada") == PAID
    await story.brings_back(order, {"id": "1", "quantity": "1"})
    assert (await story.has("ada"), await story.has("bob")) == (NOTHING, NOTHING)


async def test_a_part_that_comes_back_before_the_worker_came_counts_as_well(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    order = await story.buys("bob", "30.00", worked=False)
    await story.brings_back(order, {"id": "1", "amount": "10.00"}, worked=False)
    await story.works()
    assert (await story.has("ada"), await story.has("bob")) == (NOTHING, NOTHING)
    assert await story.state("bob") == "OPEN"


async def test_a_corrected_order_is_judged_anew(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    order = await story.buys("bob", "30.00")
    for revision, (total, ada) in enumerate([("24.00", NOTHING), ("26.00", PAID)], start=2):
        given = story.brand.purchase("bob", total) | {
            "externalId": order["externalId"], "revision": revision,
        }  # fmt: skip
        payload = (await story.brand.service.run(CORRECT, input=given))["correctPurchase"]
        assert payload["userErrors"] == [], payload
        await story.works()
        assert await story.has("ada") == ada


async def test_who_left_brings_nobody_and_is_not_paid(circle: Any) -> None:
    story = await circle()
    ada = await story.enrolls("ada")
    await story.brings("ada", "bob")
    await story.closes("ada")
    await story.buys("bob", "30.00")
    await story.enrolls("carl", referral_code=ada)

    assert await story.has("bob") == ("0", "250", "0")
    assert (await story.of("carl"))["referredBy"] == []


PAID_FEE = """mutation($input: RecordSubscriptionPaymentInput!) {
  recordSubscriptionPayment(input: $input) { userErrors { code field message } } }"""
CLUB = {
    "unit": "points",
    "plans": [
        {"id": plan, "label": plan, "period": "P1M", "prices": [{"money": {"USD": "9.90"}}]}
        for plan in ("gold", "basic")
    ],
}


async def fee(
    story: Any, friend: str, plan: str = "gold", *, invoice: str = "", worked: bool = True,
    **more: Any,
) -> None:  # fmt: skip
    """The shop tells of a fee."""
    given = {
        "member": {"externalId": friend}, "program": "club", "plan": plan,
        "invoice": invoice or f"i-{friend}", "amount": "9.90", "currency": "USD",
        "occurredAt": story.brand.now(), **more,
    }  # fmt: skip
    payload = await story.brand.service.run(PAID_FEE, input=given)
    assert payload["recordSubscriptionPayment"]["userErrors"] == []
    if worked:
        await story.works()


async def test_a_subscription_that_is_paid_qualifies(circle: Any) -> None:
    story = await circle(qualify={"by": "subscription", "plans": ["gold"]})
    await story.brand.run_program("club", CLUB, kind="subscriptions")
    await story.enrolls("ada")
    for friend, plan in (("bob", "gold"), ("carl", "basic")):
        await story.brings("ada", friend)
        await story.buys(friend, "100.00")
        await fee(story, friend, plan)

    assert await story.has("ada") == PAID
    assert (await story.state("bob"), await story.state("carl")) == ("PENDING", "OPEN")


async def test_a_fee_that_is_given_back_in_full_takes_the_rewards_with_it(circle: Any) -> None:
    story = await circle(qualify={"by": "subscription"}, hold_days=0)
    await story.brand.run_program("club", CLUB, kind="subscriptions")
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    await fee(story, "bob", invoice="i-1")
    await story.passes(days=31)
    await fee(story, "bob", invoice="i-2")
    usable = ("500", "0", "0")
    assert await story.has("ada") == usable

    await fee(
        story, "bob", invoice="i-2", outcome="REFUNDED"
    )  # another fee than the one it was for
    await fee(story, "bob", invoice="i-1", outcome="REFUNDED", amount="5.00")
    assert (await story.has("ada"), await story.state("bob")) == (usable, "PAID")
    await fee(story, "bob", invoice="i-1", outcome="REFUNDED")
    assert (await story.has("ada"), await story.has("bob")) == (NOTHING, NOTHING)
    assert await story.state("bob") == "OPEN"


async def test_a_later_fee_stands_in_for_one_that_is_given_back(circle: Any) -> None:
    story = await circle(qualify={"by": "subscription"}, hold_days=60)
    await story.brand.run_program("club", CLUB, kind="subscriptions")
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    await fee(story, "bob", invoice="i-1")
    await story.passes(days=31)
    await fee(story, "bob", invoice="i-2")
    await fee(story, "bob", invoice="i-1", outcome="REFUNDED")
    assert (await story.has("ada"), await story.state("bob")) == (PAID, "PENDING")
    await fee(story, "bob", invoice="i-2", outcome="REFUNDED")
    assert (await story.has("ada"), await story.has("bob")) == (NOTHING, NOTHING)


async def test_news_of_a_fee_come_in_any_order(circle: Any) -> None:
    story = await circle(qualify={"by": "subscription"}, hold_days=0)
    await story.brand.run_program("club", CLUB, kind="subscriptions")
    await story.enrolls("ada")
    for friend, order in (("bob", ("PAID", "REFUNDED")), ("carl", ("REFUNDED", "PAID"))):
        await story.brings("ada", friend)
        for outcome in order:
            await fee(story, friend, outcome=outcome, worked=False)
        await story.works()
        assert (await story.has("ada"), await story.has(friend)) == (NOTHING, NOTHING)
        assert await story.state(friend) == "OPEN"
