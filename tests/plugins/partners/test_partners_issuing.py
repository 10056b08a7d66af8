"""Outside brands give our points under a key of their own, pay for them, and see nothing else."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from loyalty.audit import audit
from loyalty_app.logins import Addresses
from loyalty_partners.plugin import plugin as partners
from loyalty_tenants.principal import Role
from tests.graphql.brand import Client
from tests.plugins.partners import documents
from tests.plugins.partners.conftest import Shop

KEY = """mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) {
  secret userErrors { code } } }"""
GROCER = {
    "currency": "USD", "price": "0.012", "prepaid": False, "worth": "0.008", "marketing": "0.005",
    "conversions": [
        {"activity": "purchase", "points": "1", "per": "3.00"},
        {"activity": "sign_up", "points": "500"},
    ],
}  # fmt: skip


@dataclass(slots=True)
class Stall:
    """An outside brand beside an airline: its key, and what it does with it."""

    shop: Shop
    key: Client
    agreement: str
    facts: int = 0

    def fact(self, member: str, amount: str | None, **more: Any) -> dict[str, Any]:
        self.facts += 1
        return {
            "agreement": self.agreement, "externalId": f"f-{self.facts}",
            "member": {"externalId": member}, "activity": "purchase", "amount": amount,
            "occurredAt": self.shop.brand.now(), **more,
        }  # fmt: skip

    async def give(self, member: str, amount: str | None, **more: Any) -> Any:
        return await self.shop.done(
            "recordPartnerFact", self.key, **self.fact(member, amount, **more)
        )

    async def refused(self, member: str, amount: str | None, **more: Any) -> str:
        fact = self.fact(member, amount, **more)
        return await self.shop.refused("recordPartnerFact", self.key, **fact)

    async def own(self) -> Any:
        (found,) = (await self.key.run(documents.OWN))["ownPartnerships"]
        return found


@pytest.fixture
async def make_stall(make_shop: Callable[..., Awaitable[Shop]], dsn: Addresses) -> Any:
    made: list[Stall] = []

    async def make(shop: Shop | None = None, client: str = "grocer", **terms: Any) -> Stall:
        shop = shop or await make_shop()
        proposed = await shop.done(
            "proposeIssuing", client=client, program="partners", unit="points",
            terms={**GROCER, **terms},
        )  # fmt: skip
        key = await shop.brand.admin.run(KEY, input={"role": "PARTNER", "client": client})
        secret = key["createApiKey"]["secret"]
        client_of = Client(shop.brand.http, shop.brand.server.url, secret)
        stall = Stall(shop, client_of, proposed["agreement"]["id"])
        await shop.done("acceptPartnerTerms", client_of, agreement=stall.agreement)
        made.append(stall)
        return stall

    yield make
    for stall in made:
        tenants = [stall.shop.brand.tenant_id]
        assert await audit(dsn.audit, tenants, [partners]) == []


async def test_a_grocer_gives_a_mile_per_three_dollars(make_stall: Any) -> None:
    """31.50 at 1 per 3.00 are 10; nothing else of the airline's moves."""
    stall = await make_stall()
    await stall.shop.brand.enroll("ann")

    done = await stall.give("ann", "31.50")

    assert (done["fact"]["points"], done["fact"]["amount"]) == ("10", "0.12")
    assert await stall.shop.balance("ann") == 10
    await stall.give("ann", None, activity="sign_up")
    assert await stall.shop.balance("ann") == 510


async def test_nothing_is_given_before_both_agreed(make_shop: Any, make_stall: Any) -> None:
    stall = await make_stall()
    await stall.shop.brand.enroll("ann")
    terms = {**GROCER, "price": "0.02"}
    other = await stall.shop.done(
        "proposeIssuing", client="grocer", program="partners", unit="points", terms=terms
    )
    agreement = other["agreement"]["id"]
    code = await stall.refused("ann", "30.00", agreement=agreement)
    assert code == "AGREEMENT_STATE"
    assert await stall.shop.refused("acceptPartnerTerms", agreement=agreement) == "AGREEMENT_STATE"


async def test_a_pack_is_split_and_used_up(make_stall: Any) -> None:
    """10,000 at 0.012: 120.00, of which 73.85 stand against the points (80.00 of 130.00 alone)."""
    stall = await make_stall(prepaid=True, alertBelow="9000")
    shop = stall.shop
    await shop.brand.enroll("ann")
    assert await stall.refused("ann", "30.00") == "BUDGET_EXHAUSTED"
    pack = {"agreement": stall.agreement, "points": "10000", "idempotencyKey": "pack-0001"}

    bought = await shop.done("buyPointPack", stall.key, **pack)
    again = await shop.done("buyPointPack", stall.key, **pack)

    assert (bought["fact"]["points"], bought["fact"]["amount"]) == ("10000", "120.00")
    assert again == {**bought, "replayed": True}
    seen = await stall.own()
    assert seen["packs"] == [
        {"points": "10000", "currency": "USD", "amount": "120.00", "liability": "73.85"}
    ]
    assert seen["pointsLeft"] == "10000"
    given = await stall.give("ann", "3003.00")
    assert (given["fact"]["points"], given["fact"]["amount"]) == ("1001", "0.00")
    assert (await stall.own())["pointsLeft"] == "8999"
    assert await stall.refused("ann", "27000.00") == "BUDGET_EXHAUSTED"
    await stall.give("ann", "26997.00")
    assert (await stall.own())["pointsLeft"] == "0"


async def test_points_of_one_pack_are_given_once_however_many_ask(make_stall: Any) -> None:
    stall = await make_stall(prepaid=True)
    members = [f"m-{number}" for number in range(12)]
    for member in members:
        await stall.shop.brand.enroll(member)
    pack = {"agreement": stall.agreement, "points": "100", "idempotencyKey": "pack-0001"}
    await stall.shop.done("buyPointPack", stall.key, **pack)
    facts = [stall.fact(member, "60.00") for member in members]  # 20 points each: for five of them

    answers = await asyncio.gather(
        *(stall.shop.asked("recordPartnerFact", stall.key, **fact) for fact in facts)
    )

    codes = [one["code"] for answer in answers for one in answer["userErrors"]]
    assert codes == ["BUDGET_EXHAUSTED"] * 7
    assert sum([await stall.shop.balance(member) for member in members]) == 100


async def test_the_same_fact_is_answered_as_before(make_stall: Any) -> None:
    stall = await make_stall()
    await stall.shop.brand.enroll("ann")
    fact = stall.fact("ann", "30.00")
    first = await stall.shop.done("recordPartnerFact", stall.key, **fact)
    again = await stall.shop.done("recordPartnerFact", stall.key, **fact)
    assert again == {**first, "replayed": True}
    other = {**fact, "amount": "33.00"}
    code = await stall.shop.refused("recordPartnerFact", stall.key, **other)
    assert code == "IDEMPOTENCY_MISMATCH"
    assert await stall.shop.balance("ann") == 10


async def test_caps_count_by_day(make_stall: Any) -> None:
    stall = await make_stall(perMemberPerDay="15", perDay="20")
    for member in ("ann", "bob"):
        await stall.shop.brand.enroll(member)
    await stall.give("ann", "30.00")
    assert await stall.refused("ann", "18.00") == "LIMIT_REACHED"
    await stall.give("ann", "15.00")
    assert await stall.refused("bob", "18.00") == "LIMIT_REACHED"
    await stall.give("bob", "15.00")
    stall.shop.brand.clock.advance(timedelta(days=1))
    await stall.give("bob", "45.00")


async def test_what_comes_back_is_taken_back_in_proportion(make_stall: Any) -> None:
    stall = await make_stall()
    shop = stall.shop
    await shop.brand.enroll("ann")
    fact = stall.fact("ann", "31.50")
    await shop.done("recordPartnerFact", stall.key, **fact)
    back = {"agreement": stall.agreement, "externalId": fact["externalId"]}

    part = {**back, "reversalId": "r-1", "amount": "10.50"}
    first = await shop.done("reversePartnerFact", stall.key, **part)
    again = await shop.done("reversePartnerFact", stall.key, **part)
    assert (first["fact"]["points"], first["fact"]["amount"]) == ("-3", "-0.04")
    assert again == {**first, "replayed": True}
    assert await shop.balance("ann") == 7
    much = {**back, "reversalId": "r-2", "amount": "21.01"}
    assert await shop.refused("reversePartnerFact", stall.key, **much) == "RETURN_TOO_LARGE"
    rest = await shop.done("reversePartnerFact", stall.key, **back, reversalId="r-3")
    assert (rest["fact"]["points"], rest["fact"]["amount"]) == ("-7", "-0.08")
    assert await shop.balance("ann") == 0
    ended = await shop.refused("reversePartnerFact", stall.key, **back, reversalId="r-4")
    assert ended == "RETURN_TOO_LARGE"


async def test_what_comes_back_to_a_pack_can_be_given_again(make_stall: Any) -> None:
    stall = await make_stall(prepaid=True)
    shop = stall.shop
    await shop.brand.enroll("ann")
    pack = {"agreement": stall.agreement, "points": "10", "idempotencyKey": "pack-0001"}
    await shop.done("buyPointPack", stall.key, **pack)
    fact = stall.fact("ann", "30.00")
    await shop.done("recordPartnerFact", stall.key, **fact)
    assert await stall.refused("ann", "3.00") == "BUDGET_EXHAUSTED"
    await shop.done(
        "reversePartnerFact", stall.key, agreement=stall.agreement,
        externalId=fact["externalId"], reversalId="r-1",
    )  # fmt: skip
    await stall.give("ann", "30.00")
    assert await shop.balance("ann") == 10


async def test_a_brand_sees_its_own_half_and_nothing_else(make_stall: Any) -> None:
    grocer = await make_stall()
    shop = grocer.shop
    fuel = await make_stall(shop, client="fuel")
    await shop.brand.enroll("ann")
    await grocer.give("ann", "30.00")

    assert (await fuel.own())["id"] == fuel.agreement
    for document, given in (
        (documents.AGREEMENT_OF, {"id": grocer.agreement}),
        (documents.STATEMENT_OF, {"agreement": grocer.agreement}),
        (documents.FILE, {"agreement": grocer.agreement, "period": "2026-01", "format": "CSV"}),
    ):
        assert set((await fuel.key.run(document, **given)).values()) == {None}
    lines = (await fuel.key.run(documents.LINES_OF, agreement=grocer.agreement))["partnerLines"]
    assert lines["edges"] == []
    assert await fuel.refused("ann", "30.00", agreement=grocer.agreement) == "NOT_FOUND"
    for document in (documents.BALANCE, documents.LINKS):
        refused = await fuel.key.refused(document, name="ann")
        assert [code for code, _ in refused] == ["FORBIDDEN"]
    refused = await fuel.key.refused(documents.POSITIONS)
    assert [code for code, _ in refused] == ["FORBIDDEN"]


@pytest.mark.parametrize("how", ["nobody", "closed"])
async def test_a_brand_is_not_told_what_became_of_a_member(make_stall: Any, how: str) -> None:
    stall = await make_stall()
    if how == "closed":
        await stall.shop.brand.enroll("ann")
        await stall.shop.brand.admin.run(
            "mutation($i: CloseMemberInput!) { closeMember(input: $i) { userErrors { code } } }",
            i={"member": {"externalId": "ann"}},
        )
    fact = stall.fact("ann", "30.00")
    answer = await stall.shop.asked("recordPartnerFact", stall.key, **fact)
    (error,) = answer["userErrors"]
    assert error == {
        "code": "MEMBER_NOT_FOUND", "field": "member", "message": "there is no such member",
        "details": None,
    }  # fmt: skip


async def test_a_brand_settles_from_its_side(make_stall: Any) -> None:
    stall = await make_stall()
    shop = stall.shop
    await shop.brand.enroll("ann")
    await stall.give("ann", "3000.00")
    shop.brand.clock.advance(timedelta(days=40))
    month = {"agreement": stall.agreement, "period": "2026-01"}
    ours = (await shop.done("proposeStatement", **month))["statement"]
    theirs = (await stall.key.run(documents.STATEMENT_OF, **month))["partnerStatement"]
    assert (ours["net"], theirs["net"], theirs["proposedByUs"]) == ("12.00", "-12.00", False)
    which = {"statement": ours["id"]}

    assert await shop.refused("agreeStatement", **which) == "STATEMENT_STATE"
    await shop.done("agreeStatement", stall.key, **which)
    paid = {**which, "paymentRef": "B-1"}
    assert await shop.refused("settleStatement", stall.key, **paid) == "STATEMENT_STATE"
    done = await shop.done("settleStatement", **paid)
    assert done["statement"]["state"] == "SETTLED"


async def test_a_key_of_another_role_gives_nothing(make_stall: Any) -> None:
    stall = await make_stall()
    fact = stall.fact("ann", "30.00")
    for client in (stall.shop.brand.service, stall.shop.brand.token(Role.SERVICE, "grocer")):
        document = documents.MUTATIONS["recordPartnerFact"]
        assert [code for code, _ in await client.refused(document, input=fact)] == ["FORBIDDEN"]
