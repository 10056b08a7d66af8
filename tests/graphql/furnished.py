"""A tenant that has one of everything, all of it called by one word."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from loyalty.units import UnitKind
from loyalty_graphql.ids import read_node_id
from tests.graphql.brand import Brand
from tests.graphql.documents import RECORD, REDEEM, RETURN

PAYOUT = """mutation($input: RequestPayoutInput!) { requestPayout(input: $input) {
  payout { id } userErrors { code message } } }"""
PAGES = ("members", "returns", "apiKeys", "webhookDeliveries")
HOOK = """mutation($url: String!, $name: String!) { createWebhookEndpoint(
  input: {url: $url, topics: ["*"], description: $name}) {
    endpoint { id } userErrors { code } } }"""
PING = """mutation($id: ID!) { pingWebhookEndpoint(input: {id: $id}) {
  delivery { id } userErrors { code } } }"""
EVERYTHING = """query($word: String!) {
  purchase(source: $word, externalId: $word) { id } programs { id }
  members { edges { cursor node { id } } } returns { edges { cursor node { id } } }
  apiKeys { edges { cursor node { id } } }
  webhookDeliveries { edges { cursor node { id } } } }"""


@dataclass(slots=True)
class Furnished:
    """The tenant, ids of all its nodes, and cursors of its lists."""

    brand: Brand
    ids: list[str] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)

    def id_of(self, kind: str) -> str:
        return next(ident for ident in self.ids if kind_of(ident) == kind)


def config(unit: str) -> dict[str, Any]:
    """A point of the unit per dollar."""
    rule = {"id": "base", "label": "1 per dollar", "accounting_class": "MATERIAL_RIGHT"}
    prize = {"id": "prize", "label": "A prize", "cost": "5", "kind": "item", "item": "PRIZE"}
    rules = [{**rule, "points": "1", "per": {"USD": "1.00"}}]
    return {"unit": unit, "rules": rules, "rewards": [prize]}


async def furnished(
    make_brand: Callable[..., Awaitable[Brand]], word: str, **options: Any
) -> Furnished:
    """A member, a purchase, redemptions, a return and one that waits, a webhook with a delivery."""
    brand = await make_brand(config=None, **options)
    found = Furnished(brand)
    await brand.make_unit(word)
    await brand.run_program(word, config(word))
    await brand.enroll(word, [word])
    await brand.service.run(
        RECORD, input=brand.purchase(word, "90.00", source=word, externalId=word)
    )
    for key, capture in ((word, False), (f"{word}-captured", True)):
        given = {
            "member": {"externalId": word}, "amount": "10", "unit": word, "program": word,
            "idempotencyKey": key, "capture": capture, "order": word,
        }  # fmt: skip
        data = await brand.service.run(REDEEM, input=given)
        found.ids.append(data["redeemPoints"]["redemption"]["id"])
    for return_id, of in ((word, word), (f"{word}-2", "later")):
        given = {
            "source": word, "returnId": return_id, "purchaseExternalId": of,
            "occurredAt": brand.now(), "lines": [{"id": "1", "quantity": "0.5"}],
        }  # fmt: skip
        data = await brand.service.run(RETURN, input=given)
        assert data["reversePurchase"]["userErrors"] == []
    found.ids.append(await _paid_out(brand, word))
    made = await brand.admin.run(HOOK, url=f"https://{word}.example/hooks", name=word)
    hook = made["createWebhookEndpoint"]["endpoint"]["id"]
    found.ids.append(hook)
    pinged = await brand.admin.run(PING, id=hook)
    assert pinged["pingWebhookEndpoint"]["userErrors"] == []
    data = await brand.admin.run(EVERYTHING, word=word)
    found.ids += [node["id"] for node in (data["purchase"], *data["programs"])]
    for edge in (edge for name in PAGES for edge in data[name]["edges"]):
        found.ids.append(edge["node"]["id"])
        found.cursors.append(edge["cursor"])
    return found


def kind_of(ident: str) -> str:
    """The type in a node id."""
    read = read_node_id(ident)
    assert read is not None
    return read[0]


async def _paid_out(brand: Brand, word: str) -> str:
    """A payout of a cashback program."""
    await brand.make_unit("USD", kind=UnitKind.MONEY)
    rules = [{"id": "back", "label": "5 % back", "percent": "5"}]
    payout: dict[str, Any] = {"on_request": {}}
    back = f"{word}-back"
    config = {"unit": "USD", "currency": "USD", "rules": rules, "payout": payout}
    await brand.run_program(back, config, kind="cashback")
    bought = brand.purchase(word, "90.00", source=word, externalId=back)
    await brand.service.run(RECORD, input=bought)
    given = {
        "member": {"externalId": word}, "program": back, "amount": "1.00", "destination": word,
        "idempotencyKey": f"{word}-payout",
    }  # fmt: skip
    data = await brand.service.run(PAYOUT, input=given)
    assert data["requestPayout"]["userErrors"] == []
    return str(data["requestPayout"]["payout"]["id"])
