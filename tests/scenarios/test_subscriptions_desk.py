"""Who works at the desk looks through the subscriptions: who is past due, and until when."""

from typing import Any

PLAN = {
    "id": "gold", "label": "Gold", "period": "P1M", "trial": "P14D",
    "prices": [{"money": {"USD": "9.90"}}],
}  # fmt: skip
CONFIG: dict[str, Any] = {
    "unit": "points", "plans": [PLAN], "dunning": {"retry_days": [1, 3], "grace_days": 7}
}  # fmt: skip
LIST = """query($program: String!, $status: SubscriptionStatus, $first: Int, $after: String) {
  subscriptions(program: $program, status: $status, first: $first, after: $after) {
    edges { cursor node { member { externalId }
      subscription { plan status until expiresAt provider } } }
    pageInfo { hasNextPage } } }"""


async def names(brand: Any, **asked: Any) -> list[str]:
    page = (await brand.admin.run(LIST, program="club", **asked))["subscriptions"]
    return [edge["node"]["member"]["externalId"] for edge in page["edges"]]


async def test_those_who_are_past_due_are_listed(subscriber: Any) -> None:
    ada = await subscriber(CONFIG, "2026-01-31T12:00")
    brand = ada.brand
    for name in ("bob", "carl"):
        await brand.enroll(name)
    await ada.pays("gold", "9.90", invoice="i-1")
    await ada.pays("gold", "9.90", invoice="i-2", member={"externalId": "bob"})
    await ada.comes("2026-02-10T12:00")
    await ada.pays("gold", "9.90", invoice="i-3", member={"externalId": "carl"})
    assert await names(brand, status="PAST_DUE") == []

    await ada.comes("2026-02-28T12:05")
    assert set(await names(brand, status="PAST_DUE")) == {"ada", "bob"}
    assert await names(brand, status="ACTIVE") == ["carl"]
    await ada.pays("gold", "9.90", invoice="i-4", member={"externalId": "bob"})
    page = (await brand.admin.run(LIST, program="club", status="PAST_DUE"))["subscriptions"]
    assert [edge["node"] for edge in page["edges"]] == [
        {
            "member": {"externalId": "ada"},
            "subscription": {
                "plan": "gold", "status": "PAST_DUE", "until": "2026-02-28T17:00:00Z",
                "expiresAt": "2026-03-07T17:00:00Z", "provider": "EXTERNAL",
            },
        }
    ]  # fmt: skip
    await ada.comes("2026-03-07T12:05")
    assert await names(brand, status="PAST_DUE") == []
    assert await names(brand, status="EXPIRED") == ["ada"]


async def test_the_list_has_pages_and_its_program(subscriber: Any) -> None:
    ada = await subscriber(CONFIG, "2026-01-31T12:00")
    brand = ada.brand
    for name in ("bob", "carl"):
        await brand.enroll(name)
    for name in ("ada", "bob", "carl"):
        brand.clock.advance(ada.teller.instant("2026-02-01") - ada.teller.instant("2026-01-31"))
        await ada.pays("gold", "9.90", invoice=f"i-{name}", member={"externalId": name})
    seen, after = [], None
    while True:
        data = await brand.admin.run(LIST, program="club", first=2, after=after)
        page = data["subscriptions"]
        seen += [edge["node"]["member"]["externalId"] for edge in page["edges"]]
        after = page["edges"][-1]["cursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == ["carl", "bob", "ada"]
    assert (await brand.admin.run(LIST, program="points"))["subscriptions"] is None
