"""What the page about partners asks is asked here, in its order, and nothing of it is refused."""

import json
from typing import Any

from tests.docs.page import ROOT, blocks
from tests.plugins.partners.conftest import Shop

PAGE = ROOT / "docs" / "programs" / "partners.md"


async def test_the_page_tells_a_story(make_shop: Any) -> None:
    air, hotel = await make_shop(), await make_shop()
    for shop, member in ((air, "ann"), (hotel, "bob")):
        await shop.brand.enroll(member)
    await air.give("ann", 3_100)
    shops: dict[str, Shop] = {"As the airline": air, "As the hotel": hotel}
    known = {"partner": hotel.brand.slug}

    told = [block for block in blocks(PAGE, "gql") if block.title in shops]
    for block in told:
        wanted = {name for name in known if f"${name}:" in block.text}
        given = {name: known[name] for name in wanted}
        data = await shops[block.title].brand.admin.run(block.text, **given)
        assert '"message": ' not in json.dumps(data), (block.text, data)
        for name, payload in data.items():
            if name == "proposeExchange":
                known["agreement"] = payload["agreement"]["id"]
            if name == "issueLinkCode":
                known["code"] = payload.pop("code")
            if name == "quoteExchange":
                known["quote"] = payload["quote"]["id"]
                assert (payload["quote"]["credited"], payload["quote"]["kept"]) == ("1033", "1")

    assert len(told) >= 8
    assert (await air.balance("ann"), await hotel.balance("bob")) == (1, 1_033)
