"""Tells a story to the API: who bought, spent and brought back what, and what they have then."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.graphql.brand import Brand
from tests.graphql.documents import (
    ACTIVITY,
    ADJUST,
    BALANCE_OF,
    CAPTURE,
    DECISIONS,
    RECORD,
    REDEEM,
    RELEASE,
    RETURN,
    REVERSE,
    STATEMENT,
    UPDATE,
)


class Teller:
    """A tenant of one member, Ada; amounts are in dollars, instants in the tenant's zone."""

    def __init__(
        self, brand: Brand, work: Callable[[Brand], Awaitable[int]], unit: str = "points"
    ) -> None:
        self.brand = brand
        self.unit = unit
        self._work = work

    def instant(self, at: str) -> datetime:
        return datetime.fromisoformat(at).replace(tzinfo=ZoneInfo("America/New_York"))

    async def comes(self, at: str, *, swept: bool = True, workers: int = 1) -> None:
        """Time passes until then; `swept`: workers do what fell due."""
        self.brand.clock.at = self.instant(at)
        if swept:
            await asyncio.gather(*(self._work(self.brand) for _ in range(workers)))

    async def buys(self, total: str, **more: Any) -> Any:
        """A purchase; answers it with what it earned."""
        given = self.brand.purchase("ada", total, **more)
        payload = (await self.brand.service.run(RECORD, input=given))["recordPurchase"]
        assert payload["userErrors"] == [], payload
        return payload["purchase"]

    async def brings_back(self, purchase: Any, *lines: dict[str, str]) -> Any:
        given = {
            "source": purchase["source"], "purchaseExternalId": purchase["externalId"],
            "returnId": self.brand.key(), "occurredAt": self.brand.now(), "lines": list(lines),
        }  # fmt: skip
        payload = (await self.brand.service.run(RETURN, input=given))["reversePurchase"]
        assert payload["userErrors"] == [], payload
        return payload["purchaseReturn"]

    async def asks_for(
        self, amount: str | None = None, *, capture: bool = False, **more: Any
    ) -> Any:
        """A redemption's payload, refused or not."""
        given = {
            "member": {"externalId": "ada"}, "amount": amount, "unit": self.unit,
            "program": "points", "idempotencyKey": self.brand.key(), "capture": capture, **more,
        }  # fmt: skip
        return (await self.brand.service.run(REDEEM, input=given))["redeemPoints"]

    async def redeems(self, amount: str | None = None, **more: Any) -> str:
        """The id of a redemption that stands."""
        payload = await self.asks_for(amount, **more)
        assert payload["userErrors"] == [], payload
        return str(payload["redemption"]["id"])

    async def captures(self, redemption: str, amount: str | None = None) -> Any:
        return await self._end(CAPTURE, redemption, amount=amount)

    async def releases(self, redemption: str) -> Any:
        return await self._end(RELEASE, redemption)

    async def reverses(self, redemption: str) -> Any:
        return await self._end(REVERSE, redemption)

    async def adjusts(self, amount: str, **more: Any) -> None:
        """An admin gives or takes by hand."""
        given = {
            "member": {"externalId": "ada"}, "unit": self.unit, "amount": amount,
            "reasonCode": "GOODWILL", "idempotencyKey": self.brand.key(), **more,
        }  # fmt: skip
        payload = (await self.brand.admin.run(ADJUST, input=given))["adjustBalance"]
        assert payload["userErrors"] == [], payload

    async def does(self, activity: str, **attributes: Any) -> Any:
        """An activity of this type; answers it with what it earned."""
        given = {
            "member": {"externalId": "ada"}, "source": "app", "externalId": self.brand.key(),
            "type": activity, "occurredAt": self.brand.now(), "attributes": attributes,
        }  # fmt: skip
        payload = (await self.brand.service.run(ACTIVITY, input=given))["recordActivity"]
        assert payload["userErrors"] == [], payload
        return payload

    def given(self, answer: Any, unit: str | None = None) -> dict[str, str]:
        """What a purchase or an activity earned in a unit, by the label that members read."""
        return {
            one["label"]: one["amount"]
            for one in answer["earned"]
            if one["unit"] == (unit or self.unit)
        }

    async def is_known(self, **attributes: Any) -> None:
        """The brand learns something of Ada, such as her birthday."""
        given = {"member": {"externalId": "ada"}, "attributes": attributes}
        payload = (await self.brand.service.run(UPDATE, input=given))["updateMember"]
        assert payload["userErrors"] == [], payload

    async def has(self, unit: str | None = None, **variables: Any) -> Any:
        """The balance of a unit, the program's own by default; its deadlines always sum to it."""
        data = await self.brand.service.run(
            BALANCE_OF, by={"externalId": "ada"}, unit=unit or self.unit, **variables
        )
        balance = data["member"]["balance"]
        parts = sum(float(one["amount"]) for one in balance["expiries"])
        assert parts == float(balance["available"]) + float(balance["pending"]), balance
        return balance

    async def available(self, unit: str | None = None) -> str:
        return str((await self.has(unit))["available"])

    async def lots(self) -> list[tuple[str, str]]:
        """What ends when, by local day."""
        zone = ZoneInfo("America/New_York")
        return [
            (
                str(datetime.fromisoformat(one["at"]).astimezone(zone).date()) if one["at"] else "",
                one["amount"],
            )
            for one in (await self.has())["expiries"]
        ]

    async def statement(self, unit: str | None = None) -> list[Any]:
        """All entries, oldest first."""
        data = await self.brand.service.run(
            STATEMENT, by={"externalId": "ada"}, unit=unit or self.unit, first=100
        )
        return [edge["node"] for edge in reversed(data["member"]["statement"]["edges"])]

    async def why(self, purchase: Any) -> list[Any]:
        """The decisions behind a purchase, as an admin reads them."""
        data = await self.brand.admin.run(
            DECISIONS, source=purchase["source"], externalId=purchase["externalId"]
        )
        found: list[Any] = data["purchase"]["decisions"]
        return found

    async def _end(self, document: str, redemption: str, **more: Any) -> Any:
        given = {"redemption": redemption, "idempotencyKey": self.brand.key()}
        given |= {name: value for name, value in more.items() if value is not None}
        [payload] = (await self.brand.service.run(document, input=given)).values()
        return payload
