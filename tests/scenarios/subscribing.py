"""A member who subscribes, told to the API; beside it the shop, staff, and a points program."""

from typing import Any

from tests.graphql.documents import ERRORS, WHY
from tests.scenarios.teller import Teller

AMOUNT = "currency unit amount"
ONE = f"""program plan label status leads provider reference startedAt until benefitsUntil nextPlan
  nextPrice {{ {AMOUNT} }} perks {{ id label attributes }}
  payments {{ invoice plan paid {{ {AMOUNT} }} refunded {{ {AMOUNT} }} startsAt endsAt paidAt }}"""
PAYLOAD = f"{{ replayed subscriptions {{ {ONE} }} {ERRORS} }}"
HAS = f"""query($by: MemberRef!, $program: String) {{ member(by: $by) {{
  subscriptions(program: $program) {{ {ONE} }} }} }}"""
PREVIEW = f"""query($input: PreviewPurchaseInput!) {{ previewPurchase(input: $input) {{
  earned {{ unit amount label }} decisions {{ {WHY} }} {ERRORS} }} }}"""
WHY_OF = f"""query($source: String!, $externalId: String!) {{
  purchase(source: $source, externalId: $externalId) {{ decisions {{ {WHY} }} }} }}"""
TRAIL = "query { auditTrail(first: 5) { edges { node { action subject details } } } }"
TEMPLATE = """mutation($input: StartProgramInput!) { startProgram(input: $input) {
  program { id version } userErrors { code field message } } }"""
PUBLISH = """mutation($input: PublishProgramInput!) { publishProgram(input: $input) {
  program { slug } userErrors { code field message } } }"""


def member_only(slug: str) -> str:
    """A condition for who has a plan of a program."""
    has = f"{slug}.active"
    return f'"{has}" in member.traits && member.traits["{has}"] == true'


def mutation(name: str, kind: str) -> str:
    return f"mutation($input: {kind}!) {{ {name}(input: $input) {PAYLOAD} }}"


class Subscriber:
    """Ada, and what happens to her subscriptions of the program `club`."""

    def __init__(self, teller: Teller) -> None:
        self.teller = teller
        self.brand = teller.brand

    async def comes(self, at: str) -> None:
        await self.teller.comes(at)

    async def has(self) -> list[Any]:
        """What Ada sees of the club."""
        return await self.has_all(program="club")

    async def has_all(self, **of: str) -> list[Any]:
        data = await self.brand.member("ada").run(HAS, by={"externalId": "ada"}, **of)
        found: list[Any] = data["member"]["subscriptions"]
        return found

    async def tells(self, plan: str, amount: str, *, invoice: str, **more: Any) -> Any:
        """The shop tells of a payment; the payload, refused or not."""
        given = {
            "member": {"externalId": "ada"}, "program": "club", "plan": plan, "invoice": invoice,
            "amount": amount, "currency": "USD", "occurredAt": self.brand.now(), **more,
        }  # fmt: skip
        document = mutation("recordSubscriptionPayment", "RecordSubscriptionPaymentInput")
        return (await self.brand.service.run(document, input=given))["recordSubscriptionPayment"]

    async def pays(self, plan: str, amount: str, *, invoice: str, **more: Any) -> list[Any]:
        return self._stands(await self.tells(plan, amount, invoice=invoice, **more))

    async def subscribes(self, plan: str) -> list[Any]:
        return await self._asks("subscribe", "SubscribeInput", plan=plan)

    async def cancels_themselves(self) -> list[Any]:
        return await self._asks("cancelSubscription", "CancelSubscriptionInput")

    async def resumes_themselves(self) -> list[Any]:
        return await self._asks("resumeSubscription", "PauseSubscriptionInput")

    async def refused_at_once(self) -> list[tuple[str, str]]:
        document = mutation("cancelSubscription", "CancelSubscriptionInput")
        given = {**self._own(), "atOnce": True}
        [payload] = (await self.brand.member("ada").run(document, input=given)).values()
        return [(one["code"], one["field"]) for one in payload["userErrors"]]

    async def ends_at_once(self, reason: str) -> list[Any]:
        more = {"atOnce": True, "reason": reason}
        return await self._asks(
            "cancelSubscription", "CancelSubscriptionInput", by=self.brand.admin, **more
        )

    async def comps(self, plan: str, *, until: str, reason: str) -> list[Any]:
        return await self._asks(
            "compSubscription", "CompSubscriptionInput", by=self.brand.admin, plan=plan,
            until=until, reason=reason,
        )  # fmt: skip

    async def gives_back(self, amount: str, reason: str) -> list[Any]:
        return await self._asks(
            "refundSubscription", "RefundSubscriptionInput", by=self.brand.admin, amount=amount,
            currency="USD", reason=reason,
        )  # fmt: skip

    async def previews(self, total: str) -> tuple[dict[str, str], list[Any]]:
        """What a basket would earn, by label, and why."""
        given = {"purchase": self.brand.purchase("ada", total)}
        given = {k: v for k, v in given["purchase"].items() if k not in ("source", "externalId")}
        data = (await self.brand.admin.run(PREVIEW, input=given))["previewPurchase"]
        assert data["userErrors"] == [], data
        return {one["label"]: one["amount"] for one in data["earned"]}, data["decisions"]

    async def why(self, purchase: Any) -> list[Any]:
        data = await self.brand.admin.run(
            WHY_OF, source=purchase["source"], externalId=purchase["externalId"]
        )
        found: list[Any] = data["purchase"]["decisions"]
        return found

    async def trail(self) -> list[Any]:
        data = await self.brand.admin.run(TRAIL)
        return [edge["node"] for edge in data["auditTrail"]["edges"]]

    async def _asks(self, name: str, kind: str, by: Any = None, **more: Any) -> list[Any]:
        caller = by or self.brand.member("ada")
        [payload] = (await caller.run(mutation(name, kind), input={**self._own(), **more})).values()
        return self._stands(payload)

    def _own(self) -> dict[str, Any]:
        return {
            "member": {"externalId": "ada"}, "program": "club", "idempotencyKey": self.brand.key(),
        }  # fmt: skip

    def _stands(self, payload: Any) -> list[Any]:
        assert payload["userErrors"] == [], payload
        found: list[Any] = payload["subscriptions"]
        return found
