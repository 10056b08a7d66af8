"""Stripe at the door: signed deliveries, in any order and more than once, over HTTP."""

import json
import random
from typing import Any

import httpx
import pytest
import stripe

from loyalty.days import add_months
from tests.scenarios.subscribing import Subscriber

SECRET = "whsec_of_the_club"
CONFIG = {
    "unit": "points",
    "stripe_webhook_secret": SECRET,
    "plans": [
        {
            "id": "gold", "label": "Gold", "period": "P1M", "stripe_prices": ["price_gold"],
            "prices": [{"money": {"USD": "9.90"}}],
            "gifts": [{"id": "welcome", "label": "Welcome", "points": "100"}],
        }
    ],
}  # fmt: skip


class Stripe:
    """What Stripe delivers to a tenant."""

    def __init__(self, ada: Subscriber, http: httpx.AsyncClient) -> None:
        self.ada = ada
        self._http = http
        self._path = f"{ada.brand.server.url}/in/{ada.brand.slug}/subscriptions"

    async def delivers(self, event: Any, secret: str = SECRET, path: str = "") -> httpx.Response:
        raw = json.dumps(event)
        at = event["created"] if isinstance(event, dict) and "created" in event else 1
        signature = stripe.WebhookSignature._compute_signature(f"{at}.{raw}", secret)
        headers = {"stripe-signature": f"t={at},v1={signature}"}
        return await self._http.post(self._path + path, content=raw, headers=headers)

    def month(self, number: int) -> int:
        start = self.ada.teller.instant("2026-01-31T12:00")
        day = add_months(start.date(), number)
        return int(start.replace(year=day.year, month=day.month, day=day.day).timestamp())

    def paid(self, number: int, event: str = "", member: str = "ada", **more: Any) -> Any:
        """A month's invoice was paid."""
        period = {"start": self.month(number), "end": self.month(number + 1)}
        invoice = {
            "id": f"in_{number}", "object": "invoice", "subscription": "sub_1", "currency": "usd",
            "amount_paid": 990, "amount_due": 990, "attempt_count": 1,
            "subscription_details": {"metadata": {"loyalty_member": member}},
            "lines": {"data": [{"amount": 990, "period": period, "price": {"id": "price_gold"}}]},
            **more,
        }  # fmt: skip
        return self.event(
            event or f"evt_paid_{number}", "invoice.paid", self.month(number), invoice
        )

    def event(self, ident: str, kind: str, at: int, told: Any) -> Any:
        given = {"id": ident, "object": "event", "type": kind, "created": at}
        return {**given, "data": {"object": told}}

    def leaves(self, at: int, event: str = "evt_leaves") -> Any:
        told = {
            "id": "sub_1", "object": "subscription", "status": "active",
            "cancel_at_period_end": True, "metadata": {"loyalty_member": "ada"},
        }  # fmt: skip
        return self.event(event, "customer.subscription.updated", at, told)


@pytest.fixture
async def door(subscriber: Any, http: httpx.AsyncClient) -> Stripe:
    ada: Subscriber = await subscriber(CONFIG, "2026-01-31T12:00")
    ada.brand.clock.at = ada.teller.instant("2026-02-20T12:00")
    return Stripe(ada, http)


async def test_what_is_signed_is_heard_once(door: Stripe) -> None:
    first, again = await door.delivers(door.paid(0)), await door.delivers(door.paid(0))
    other = await door.delivers(door.paid(0, "evt_succeeded"))

    assert [one.json()["recorded"] for one in (first, again, other)] == [1, 0, 1]
    assert again.json()["known"] == 1
    [one] = await door.ada.has()
    assert (one["status"], one["provider"], one["reference"]) == ("ACTIVE", "STRIPE", "sub_1")
    assert one["until"] == "2026-02-28T17:00:00Z"
    assert [fee["invoice"] for fee in one["payments"]] == ["in_0"]
    assert await door.ada.teller.available() == "100"


async def test_nobody_else_is_heard(door: Stripe) -> None:
    answers = [
        await door.delivers(door.paid(0), secret="whsec_guessed"),
        await door.delivers(door.paid(0), path="x"),
        await door.delivers([]),
        await door.delivers({"object": "event", "id": "evt_1", "type": "invoice.paid"}),
    ]

    assert [answer.status_code for answer in answers] == [401, 404, 400, 400]
    assert await door.ada.has() == []


async def test_what_concerns_nobody_here_is_taken_and_changes_nothing(door: Stripe) -> None:
    stranger = await door.delivers(door.paid(0, member="nobody"))
    unnamed = await door.delivers(door.paid(0, "evt_2", subscription_details={}))
    other = await door.delivers(door.event("evt_3", "customer.created", 1, {"id": "cus_1"}))

    assert [answer.status_code for answer in (stranger, unnamed, other)] == [200, 200, 200]
    assert [one["code"] for one in stranger.json()["ignored"]] == ["MEMBER_NOT_FOUND"]
    assert await door.ada.has() == []
    await door.ada.brand.enroll("nobody")
    assert (await door.delivers(door.paid(0, member="nobody"))).json()["recorded"] == 1


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_order_they_come_in(door: Stripe, seed: int) -> None:
    events = [door.paid(number) for number in range(3)]
    events += [door.paid(number, f"evt_more_{number}") for number in range(3)]
    events += [door.leaves(door.month(1) + 60)]
    events += events[::2]
    door.ada.brand.clock.at = door.ada.teller.instant("2026-04-10T12:00")
    random.Random(seed).shuffle(events)  # the same each time: only the order is any

    ends = []
    for event in events:
        assert (await door.delivers(event)).status_code == 200
        ends += [one["until"] for one in await door.ada.has() if one["until"]]

    assert ends == sorted(ends)
    [one] = await door.ada.has()
    assert (one["status"], one["until"]) == ("CANCELLED_AT_PERIOD_END", "2026-04-30T16:00:00Z")
    assert sorted(fee["invoice"] for fee in one["payments"]) == ["in_0", "in_1", "in_2"]
    assert await door.ada.teller.available() == "100"


async def test_a_program_hears_what_came_through_its_own_door_alone(door: Stripe) -> None:
    other = {**CONFIG, "stripe_webhook_secret": "whsec_of_the_other"}
    door.ada.brand.clock.at = door.ada.teller.instant("2026-01-31T12:00")
    await door.ada.brand.run_program("other", other, kind="subscriptions")

    await door.delivers(door.paid(0), secret="whsec_of_the_other")

    assert await door.ada.has() == []
    assert [one["program"] for one in await door.ada.has_all()] == ["other"]


async def test_the_secret_is_shown_nowhere(door: Stripe) -> None:
    data = await door.ada.brand.admin.run("{ programs { config versions { config } } }")

    assert SECRET not in json.dumps(data)


async def test_a_payment_for_no_plan_is_told_to_staff(door: Stripe, rows: Any) -> None:
    event = door.paid(0)
    event["data"]["object"]["lines"]["data"][0]["price"] = {"id": "price_unknown"}

    assert (await door.delivers(event)).json()["recorded"] == 1

    assert await door.ada.has() == []
    api = door.ada.brand.server.services.api
    async with api.database.tenant(door.ada.brand.tenant_id, read_only=True) as connection:
        told = await connection.fetchval(
            "select payload from loyalty.outbox where topic = 'subscriptions.payment_unmatched/1'"
        )
    assert (told["invoice"], told["price"]) == ("in_0", "price_unknown")
