"""What staff do is in the audit trail, by whichever mutation; what tills send is not."""

from datetime import timedelta
from typing import Any

import pytest
from graphql import GraphQLSchema

from compiled_graphql import Gated
from loyalty_app.installed import installed
from loyalty_graphql.access import Rule
from loyalty_graphql.compose import compose
from loyalty_graphql.core import CORE
from loyalty_graphql.guard import rules_of_root
from loyalty_graphql.ids import uuid_of
from loyalty_graphql.noting import STAFF, staffs
from loyalty_tenants import scopes
from loyalty_tenants.principal import Principal, Role
from tests.graphql.documents import ERRORS

# What an admin's credential may send as well, and is a shop's or a till's to send: the fact that it
# becomes says who sent it, for ever.
TILLS = {
    "recordPurchase", "recordPurchases", "correctPurchase", "reversePurchase", "recordActivity",
    "redeemPoints", "captureRedemption", "releaseRedemption", "reverseRedemption",
    "requestPayout", "recordPayout", "recordSubscriptionPayment", "activatePoints",
    "issueLinkCode", "redeemLinkCode", "endPartnerLink", "quoteExchange", "exchangePoints",
    "reverseExchange", "giveExchangeUp", "earnAtPartnerTill", "spendAtPartnerTill",
}  # fmt: skip
NOTHING_CHANGES = {"previewAdjustBalances"}
PARTNERS = {  # for partners alone
    "recordPartnerFact", "confirmExchanges", "creditExchange", "greetPartner",
    "linkPartnerMember", "offerExchange", "offerPartnerTerms", "restoreExchange",
    "takeExchangeBack", "voidExchange",
}  # fmt: skip

CLOSE = f"mutation($who: MemberRef!) {{ closeMember(input: {{member: $who}}) {{ {ERRORS} }} }}"
ADJUST = f"""mutation($who: MemberRef!, $key: String!) {{ adjustBalance(input: {{ member: $who,
  unit: "points", amount: "5", reasonCode: "GOODWILL", note: "sorry", idempotencyKey: $key }}) {{
  {ERRORS} }} }}"""
ENROLL = f"""mutation($name: String!) {{ enrollMember(input: {{externalId: $name,
  attributes: {{mail: "ada@example.com"}} }}) {{ {ERRORS} }} }}"""
TRAIL = """query($filter: AuditFilter) { auditTrail(filter: $filter, first: 20) { edges { node {
  action actor role subject details requestId at } } } }"""
WHO = "query($who: MemberRef!) { member(by: $who) { id } }"
ADA = {"externalId": "ada"}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return compose(CORE, installed()).core


def principal(role: Role) -> Principal:
    return Principal(
        role=role, tenant_id=None, subject="x", scopes=scopes.ALLOWED[role], client="x"
    )


def test_every_mutation_of_staff_is_noted(schema: GraphQLSchema) -> None:
    rules: dict[str, Rule] = rules_of_root(schema.mutation_type)
    unnoted = {
        name
        for name, rule in rules.items()
        if not (is_wrapped(schema, name) and any(staffs(principal(role), rule) for role in STAFF))
    }
    # A new one that is listed here was looked at: it is no staff's doing.
    assert unnoted == TILLS | NOTHING_CHANGES | PARTNERS


def is_wrapped(schema: GraphQLSchema, name: str) -> bool:
    assert schema.mutation_type is not None
    gate = schema.mutation_type.fields[name].resolve
    assert isinstance(gate, Gated), "every mutation has a rule"
    return gate.resolve.__name__ == "resolve_and_note"


async def entries(client: Any, **wanted: Any) -> list[Any]:
    data = await client.run(TRAIL, filter=wanted or None)
    return [edge["node"] for edge in data["auditTrail"]["edges"]]


async def done(client: Any, document: str, **given: Any) -> str:
    """The id of the request that did it."""
    answer = await client.post(document, given)
    ((payload,),) = [answer.json()["data"].values()]
    assert payload["userErrors"] == []
    return str(answer.headers["x-request-id"])


async def test_a_mutation_that_writes_no_entry_gets_one(brand: Any) -> None:
    member = f"member:{uuid_of(await brand.enroll('ada'), 'Member', field='id')}"
    clerk = brand.token(Role.ADMIN, "clerk")
    adjusted = await done(clerk, ADJUST, who=ADA, key="key-000001")
    closed = await done(clerk, CLOSE, who=ADA)
    enrolled = await done(clerk, ENROLL, name="bob")
    found = {one["requestId"]: one for one in await entries(brand.admin, actor="clerk")}
    assert len(found) == 3
    assert (found[closed]["action"], found[closed]["subject"]) == ("closeMember", member)
    assert (found[adjusted]["action"], found[adjusted]["subject"]) == ("adjustBalance", member)
    assert found[adjusted]["details"] == {
        "unit": "points", "amount": "5", "reasonCode": "GOODWILL", "note": "sorry",
        "idempotencyKey": "key-000001", "allowDeficit": False,
    }  # fmt: skip
    assert found[enrolled]["details"] == {}, "nothing that says who somebody is"
    bob = (await brand.admin.run(WHO, who={"externalId": "bob"}))["member"]["id"]
    there = await entries(brand.admin, member=bob)
    assert [one["requestId"] for one in there] == [enrolled], "but of whom it is"
    # Done again is not done, and neither is what was refused.
    await clerk.run(ADJUST, who=ADA, key="key-000001")
    await clerk.run(CLOSE, who=ADA)
    assert len(await entries(brand.admin, actor="clerk")) == 3


async def test_services_are_noted_at_the_desk_and_not_at_the_till(brand: Any) -> None:
    await brand.enroll("ada")  # by the shop
    desk = brand.token(Role.SERVICE, "desk", ["balances:adjust"])
    await done(desk, ADJUST, who=ADA, key="key-000002")
    assert [one["action"] for one in await entries(brand.admin, actor="desk")] == ["adjustBalance"]
    assert await entries(brand.admin, actor="shop") == []


async def test_the_trail_is_filtered_by_who_what_whom_and_when(brand: Any) -> None:
    who = await brand.enroll("ada")
    clerk = brand.token(Role.ADMIN, "clerk")
    began = brand.now()
    await done(clerk, ADJUST, who=ADA, key="key-000003")
    brand.clock.at += timedelta(minutes=5)
    await done(clerk, CLOSE, who=ADA)
    both = ["closeMember", "adjustBalance"]
    for wanted, found in (
        ({"member": who}, both),
        ({"actor": "clerk", "action": "closeMember"}, both[:1]),
        ({"member": who, "since": brand.now()}, both[:1]),
        ({"member": who, "before": brand.now(), "since": began}, both[1:]),
        ({"action": "nothing"}, []),
    ):
        assert [one["action"] for one in await entries(brand.admin, **wanted)] == found, wanted
    refused = await brand.admin.refused(TRAIL, filter={"member": who, "subject": "x"})
    assert refused == [("BAD_USER_INPUT", ["auditTrail"])]
