"""The template referral-ladder, from its draft to the tenth friend."""

from datetime import timedelta
from typing import Any

from tests.graphql.admin.documents import done
from tests.plugins.referrals.circle import Circle


async def test_a_year_of_the_ladder(make_brand: Any, work: Any) -> None:
    brand = await make_brand(config=None, backdating=timedelta(days=400))
    asked = {"template": "referral-ladder", "slug": "friends", "createUnits": True}
    draft = (await done(brand.admin, "startProgram", **asked))["program"]
    of = {"id": draft["id"], "expectedVersion": draft["version"]}
    await done(brand.admin, "publishProgram", **of)
    story = Circle(brand, work)
    await story.enrolls("ada")

    orders, seen = [], []
    for number in range(10):
        await story.brings("ada", f"f{number}")
        orders.append(await story.buys(f"f{number}", "25.00"))
        seen.append(int((await story.has("ada"))[0]) + int((await story.has("ada"))[1]))
        await story.passes(days=2)
    assert seen == [600, 1100, 1600, 2100, 3600, 4100, 4600, 5100, 5600, 8600]

    await story.brings_back(orders[3])
    assert await story.has("ada") == ("1600", "4000", "0")
    await story.passes(days=30)
    assert await story.has("ada") == ("5600", "0", "0")
    for order in orders[:3] + orders[4:]:
        await story.brings_back(order)
    assert await story.has("ada") == ("0", "0", "0")
