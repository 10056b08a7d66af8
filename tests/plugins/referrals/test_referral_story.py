"""A friend is brought, orders, keeps the goods: both sides have what the program says, once."""

from typing import Any


async def test_both_sides_have_their_points_after_the_return_window(circle: Any) -> None:
    """RF-1: 500 and 250 for a first order of $25 or more, pending until the window closes."""
    story = await circle()
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    assert await story.state("bob") == "OPEN"

    await story.buys("bob", "25.00")
    assert (await story.has("ada"), await story.has("bob")) == (
        ("0", "500", "0"),
        ("0", "250", "0"),
    )
    assert await story.state("bob") == "PENDING"

    await story.passes(days=14)
    assert (await story.has("ada"), await story.has("bob")) == (
        ("500", "0", "0"),
        ("250", "0", "0"),
    )
    assert await story.state("bob") == "PAID"


async def test_an_order_below_the_minimum_does_not_qualify_and_the_next_one_may(
    circle: Any,
) -> None:
    story = await circle()
    await story.enrolls("ada")
    await story.brings("ada", "bob")

    await story.buys("bob", "24.99")
    assert await story.has("ada") == ("0", "0", "0")
    await story.buys("bob", "25.00")
    await story.buys("bob", "80.00")
    assert (await story.has("ada"), await story.has("bob")) == (
        ("0", "500", "0"),
        ("0", "250", "0"),
    )


async def test_the_friends_own_referral_pays_the_same(circle: Any) -> None:
    """RF-2: Bob brings Carl on the same terms."""
    story = await circle()
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    await story.buys("bob", "30.00")
    await story.brings("bob", "carl")
    await story.buys("carl", "30.00")

    assert await story.has("ada") == ("0", "500", "0")
    assert await story.has("bob") == ("0", "750", "0")
    assert await story.has("carl") == ("0", "250", "0")


async def test_a_return_reverses_both_sides_within_the_window_and_after_it(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    order = await story.buys("bob", "30.00")
    await story.brings_back(order)
    assert (await story.has("ada"), await story.has("bob")) == (("0", "0", "0"), ("0", "0", "0"))
    assert await story.state("bob") == "OPEN"

    order = await story.buys("bob", "40.00")
    await story.passes(days=20)
    assert (await story.has("ada"), await story.has("bob")) == (
        ("500", "0", "0"),
        ("250", "0", "0"),
    )
    await story.brings_back(order)
    assert (await story.has("ada"), await story.has("bob")) == (("0", "0", "0"), ("0", "0", "0"))


async def test_what_is_left_of_an_order_still_qualifies_or_does_not(circle: Any) -> None:
    story = await circle()
    await story.enrolls("ada")
    await story.brings("ada", "bob")
    lines = [{"id": "a", "amount": "30.00"}, {"id": "b", "amount": "10.00"}]
    order = await story.buys("bob", "40.00", lines=lines)

    await story.brings_back(order, {"id": "b", "amount": "10.00"})
    await story.brings_back(order, {"id": "a", "amount": "5.00"})
    assert (await story.has("ada"), await story.has("bob")) == (
        ("0", "500", "0"),
        ("0", "250", "0"),
    )

    await story.brings_back(order, {"id": "a", "amount": "0.01"})
    assert (await story.has("ada"), await story.has("bob")) == (("0", "0", "0"), ("0", "0", "0"))
    assert await story.state("bob") == "OPEN"
