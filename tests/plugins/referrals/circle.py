"""Members who bring friends, as a shop, the members themselves and an admin tell it to the API."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from tests.graphql.brand import Brand
from tests.graphql.documents import ADJUST, BALANCE_OF, CLOSE, ENROLL, ERRORS, RECORD, RETURN

FRIENDS: dict[str, Any] = {
    "qualify": {"minimum": {"USD": "25.00"}},
    "rewards": {
        "referrer": [{"id": "thanks", "label": "A friend came", "unit": "points", "amount": "500"}],
        "friend": [{"id": "welcome", "label": "Welcome", "unit": "points", "amount": "250"}],
    },
}
MINE = "id program state attributedAt openUntil qualifiedAt usableAt beyondLimit"
SHARE = f"""mutation($input: ShareReferralCodeInput!) {{ shareReferralCode(input: $input) {{
  replayed codes {{ program code link vanity sharedAt shares }} {ERRORS} }} }}"""
CLAIM = f"""mutation($input: ClaimReferralCodeInput!) {{ claimReferralCode(input: $input) {{
  replayed referral {{ {MINE} }} {ERRORS} }} }}"""
CASE = """id program state verdict reasons code via attributedAt openUntil qualifiedAt usableAt
  decidedBy decidedAt decisionReason friend { externalId } referrer { externalId }"""
REVIEW = f"""mutation($input: ReviewReferralInput!) {{ reviewReferral(input: $input) {{
  replayed referral {{ {CASE} }} {ERRORS} }} }}"""
CASES = f"""query($program: String!, $verdict: ReferralVerdict, $first: Int, $after: String) {{
  referrals(program: $program, verdict: $verdict, first: $first, after: $after) {{
    edges {{ cursor node {{ {CASE} }} }} pageInfo {{ hasNextPage }} }} }}"""
OF_MEMBER = f"""query($by: MemberRef!) {{ member(by: $by) {{
  referralCodes {{ program code link vanity sharedAt shares }}
  referrals {{ {MINE} }} referredBy {{ {MINE} }} }} }}"""
FUNNEL = """query($program: String!, $since: DateTime!, $until: DateTime!) {
  referralFunnel(program: $program, since: $since, until: $until) {
    shared enrolled qualified paid inReview blocked } }"""


class Circle:
    """A tenant whose program is called `friends`."""

    def __init__(self, brand: Brand, work: Callable[[Brand], Awaitable[int]]) -> None:
        self.brand = brand
        self._work = work

    async def works(self) -> None:
        """The worker does what is due, and what follows from that."""
        while await self._work(self.brand):
            pass

    async def passes(self, **delta: float) -> None:
        self.brand.clock.advance(timedelta(**delta))
        await self.works()

    async def enrolls(self, name: str, **attributes: Any) -> str:
        """A new member; answers their own code."""
        given = {"externalId": name, "identifiers": [], "attributes": attributes}
        payload = (await self.brand.service.run(ENROLL, input=given))["enrollMember"]
        assert payload["userErrors"] == [], payload
        await self.works()
        return await self.code_of(name)

    async def brings(self, referrer: str, friend: str, **attributes: Any) -> None:
        code = await self.code_of(referrer)
        await self.enrolls(friend, referral_code=code, **attributes)
        self.brand.clock.advance(timedelta(seconds=1))

    async def code_of(self, name: str) -> str:
        return str((await self.of(name))["referralCodes"][0]["code"])

    async def of(self, name: str) -> Any:
        data = await self.brand.service.run(OF_MEMBER, by={"externalId": name})
        return data["member"]

    async def claims(self, name: str, code: str, by: Any = None, **more: Any) -> Any:
        given = {
            "member": {"externalId": name}, "program": "friends", "code": code,
            "idempotencyKey": self.brand.key(), **more,
        }  # fmt: skip
        data = await (by or self.brand.service).run(CLAIM, input=given)
        return data["claimReferralCode"]

    async def shares(self, name: str, by: Any = None, **more: Any) -> Any:
        given = {
            "member": {"externalId": name}, "program": "friends",
            "idempotencyKey": self.brand.key(), **more,
        }  # fmt: skip
        data = await (by or self.brand.service).run(SHARE, input=given)
        return data["shareReferralCode"]

    async def buys(self, name: str, total: str, *, worked: bool = True, **more: Any) -> Any:
        given = self.brand.purchase(name, total, **more)
        payload = (await self.brand.service.run(RECORD, input=given))["recordPurchase"]
        assert payload["userErrors"] == [], payload
        if worked:
            await self.works()
        return payload["purchase"]

    async def brings_back(self, purchase: Any, *lines: dict[str, str], worked: bool = True) -> Any:
        given = {
            "source": purchase["source"], "purchaseExternalId": purchase["externalId"],
            "returnId": self.brand.key(), "occurredAt": self.brand.now(), "lines": list(lines),
        }  # fmt: skip
        payload = (await self.brand.service.run(RETURN, input=given))["reversePurchase"]
        assert payload["userErrors"] == [], payload
        if worked:
            await self.works()
        return payload["purchaseReturn"]

    async def takes(self, name: str, amount: str) -> None:
        """An admin takes points by hand."""
        given = {
            "member": {"externalId": name}, "unit": "points", "amount": amount,
            "reasonCode": "GOODWILL", "idempotencyKey": self.brand.key(),
        }  # fmt: skip
        payload = (await self.brand.admin.run(ADJUST, input=given))["adjustBalance"]
        assert payload["userErrors"] == [], payload

    async def closes(self, name: str) -> None:
        given = {"member": {"externalId": name}, "reason": "left"}
        payload = (await self.brand.service.run(CLOSE, input=given))["closeMember"]
        assert payload["userErrors"] == [], payload

    async def has(self, name: str, unit: str = "points") -> tuple[str, str, str]:
        """Available, pending and owed."""
        data = await self.brand.service.run(BALANCE_OF, by={"externalId": name}, unit=unit)
        balance = data["member"]["balance"]
        return balance["available"], balance["pending"], balance["deficit"]

    async def state(self, friend: str) -> str:
        (mine,) = (await self.of(friend))["referredBy"]
        return str(mine["state"])

    async def cases(self, **more: Any) -> list[Any]:
        data = await self.brand.admin.run(CASES, program="friends", **more)
        return [edge["node"] for edge in data["referrals"]["edges"]]

    async def case(self, friend: str) -> Any:
        (found,) = [one for one in await self.cases() if one["friend"]["externalId"] == friend]
        return found

    async def reviews(
        self, friend: str, release: bool, reason: str = "I called them", worked: bool = True,
        **more: Any,
    ) -> Any:  # fmt: skip
        given = {
            "referral": (await self.case(friend))["id"], "release": release, "reason": reason,
            "idempotencyKey": self.brand.key(), **more,
        }  # fmt: skip
        payload = (await self.brand.admin.run(REVIEW, input=given))["reviewReferral"]
        if worked:
            await self.works()
        return payload

    async def funnel(self) -> dict[str, int]:
        now = self.brand.clock.now()
        period = {"since": (now - timedelta(days=300)).isoformat(),
                  "until": (now + timedelta(days=1)).isoformat()}  # fmt: skip
        data = await self.brand.admin.run(FUNNEL, program="friends", **period)
        return dict(data["referralFunnel"])
