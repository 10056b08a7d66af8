"""What fell due and could not be done is told to who works at the desk, until it is done."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

RULE = {
    "id": "base", "label": "1 per dollar", "accounting_class": "MARKETING",
    "points": "1", "per": {"USD": "1.00"},
}  # fmt: skip
ISSUING = {
    "id": "rewards", "label": "Reward", "windows": ["01-15"], "unit": "rewards",
    "step": "100", "gives": "10.00",
}  # fmt: skip
REFUSED = """{ refusedDue(first: 5) { edges { node {
  id job kind dueAt code message attempts refusedAt retryAt member { externalId } } } } }"""
REWARDS = """{ member(by: {externalId: "rich"}) { balance(unit: "rewards") { available } } }"""
GIVE = """mutation($who: String!, $amount: Decimal!, $key: String!) { adjustBalance(input: {
  member: {externalId: $who}, unit: "points", amount: $amount, reasonCode: "GOODWILL",
  idempotencyKey: $key }) { userErrors { code message } } }"""


async def test_a_reward_that_cannot_be_given_is_shown_until_it_is(
    make_brand: Any, work: Any
) -> None:
    brand = await make_brand(config=None)
    await brand.make_unit("rewards", places=2)
    await brand.run_program("points", {"unit": "points", "rules": [RULE], "issuing": [ISSUING]})
    began = brand.clock.now()
    tenant = (await brand.admin.run("{ tenant { zone } }"))["tenant"]
    zone = ZoneInfo(tenant["zone"])
    try:
        for who, amount in (("ada", "250"), ("rich", "9000000000000000")):
            await brand.enroll(who)
            data = await brand.admin.run(GIVE, who=who, amount=amount, key=f"to-give-{who}")
            assert data["adjustBalance"]["userErrors"] == []
        assert (await brand.admin.run(REFUSED))["refusedDue"]["edges"] == []
        day = brand.clock.at = datetime(began.year, 1, 15, tzinfo=zone)

        await work(brand)

        (edge,) = (await brand.admin.run(REFUSED))["refusedDue"]["edges"]
        node = edge["node"]
        assert node.pop("id")
        times = {
            name: datetime.fromisoformat(node.pop(name)) - day
            for name in ("dueAt", "refusedAt", "retryAt")
        }
        assert times == {
            "dueAt": timedelta(0),
            "refusedAt": timedelta(0),
            "retryAt": timedelta(hours=1),
        }
        assert node == {
            "job": "points/issuing", "kind": "points.conversion_fallen_due/1",
            "code": "LIMIT_EXCEEDED", "attempts": 1, "member": {"externalId": "rich"},
            "message": "the balance would be more than 9000000000000000 minor units",
        }  # fmt: skip
        await brand.admin.run(GIVE, who="rich", amount="-8999999999999900", key="take-it-off")
        brand.clock.advance(timedelta(hours=1))
        await work(brand)
        assert (await brand.admin.run(REFUSED))["refusedDue"]["edges"] == []
        data = await brand.admin.run(REWARDS)
        assert data["member"]["balance"]["available"] == "10.00"
    finally:
        brand.clock.at = began
