"""Delivery: once per endpoint, signed, in each member's order; and what becomes of failing ones."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from loyalty.commands import Redeem
from loyalty.errors import Code
from loyalty_tenants.webhooks import deliveries, endpoints
from loyalty_tenants.webhooks.pauses import PAUSES, Pauses
from tests.faults.receiver import answers, in_turn

FAST = 1e-5


async def test_what_happens_is_told_to_who_subscribes_and_to_nobody_else(
    world: Any, make_world: Any, office: Any, receiver: Any
) -> None:
    other = await make_world()
    mine = await office.endpoint(world, f"{receiver.url}/bought", ["purchase.recorded.v1"])
    await office.endpoint(world, f"{receiver.url}/all")
    theirs = await office.endpoint(other, f"{receiver.url}/theirs")
    ana = await world.member("ana")
    await world.record(world.purchase(ana, "12.50", external_id="o-1"))

    await office.tell(world)
    await office.deliver()

    (bought,) = receiver.at("/bought")
    said: Any = bought.verified(mine.text)
    assert said["type"] == "purchase.recorded.v1"
    assert said["timestamp"] == "2026-01-01T12:00:00Z"
    assert said["data"]["member"]["externalId"] == "ana"
    assert said["data"]["total"] == {"value": "12.50", "unit": "USD"}
    (earned,) = said["data"]["earned"]
    assert earned["amount"] == {"value": "12", "unit": "points"}
    assert (earned["rule"], earned["label"]) == ("points/base", "1 point per dollar")
    assert [json.loads(one.body)["type"] for one in receiver.at("/all")] == [
        "member.enrolled.v1", "purchase.recorded.v1", "value.granted.v1",
    ]  # fmt: skip
    assert receiver.at("/all")[1].id == bought.id
    assert receiver.at("/theirs") == []
    assert {row["state"] for row in await office.deliveries(world)} == {"DELIVERED"}
    with pytest.raises(WebhookVerificationError):
        bought.verified(theirs.text)
    assert await office.rows("select 1 from loyalty.webhook_line") == []
    assert {row["state"] for row in await world.rows("select * from loyalty.outbox")} == {"DONE"}


async def test_what_was_refused_is_not_told(world: Any, office: Any, receiver: Any) -> None:
    await office.endpoint(world, f"{receiver.url}/all")
    ana = await world.member("ana")
    spend = Redeem(
        member=ana, occurred_at=world.clock.now(), program="points", unit="points", amount=1
    )
    refused = await world.refusal(spend)

    await office.tell(world)
    await office.deliver()

    assert refused.code is Code.INSUFFICIENT_BALANCE
    assert [json.loads(one.body)["type"] for one in receiver.heard] == ["member.enrolled.v1"]


async def test_a_members_events_come_in_their_order_each_when_the_one_before_is_done(
    world: Any, office: Any, receiver: Any
) -> None:
    made = await office.endpoint(world, f"{receiver.url}/all", ["purchase.recorded.v1"])
    receiver.script["/all"] = in_turn(answers(500), answers(500), answers(204))
    ana = await world.member("ana")
    for number in range(6):
        await world.record(world.purchase(ana, 100, external_id=f"{ana.id}-{number}"))
    await office.tell(world)

    await office.deliver_until(lambda: len(receiver.heard) == 8, pace=FAST)

    told = [int(json.loads(one.body)["data"]["externalId"][-1]) for one in receiver.heard]
    assert told == [0, 0, 0, 1, 2, 3, 4, 5]
    assert len({one.id for one in receiver.heard}) == 6
    assert receiver.heard[0].body == receiver.heard[1].body == receiver.heard[2].body
    assert (await office.health(made.endpoint.id))["failures"] == 0


async def test_another_member_does_not_wait_for_one_whose_event_fails(
    world: Any, office: Any, receiver: Any
) -> None:
    await office.endpoint(world, f"{receiver.url}/all", ["purchase.recorded.v1"])
    ana, bob = await world.member(), await world.member()
    receiver.script["/all"] = in_turn(answers(500), answers(204))
    for who in (ana, ana, bob):
        await world.record(world.purchase(who, 100))
        await office.tell(world)
        await office.deliver()

    told = [json.loads(one.body)["data"]["member"]["id"] for one in receiver.heard]
    assert len(told) == len(set(told)) == 2
    states = [(row["state"], row["attempts"]) for row in await office.deliveries(world)]
    assert states == [("PENDING", 1), ("PENDING", 0), ("DELIVERED", 1)]


async def test_a_delivery_dies_after_ten_tries_and_can_be_replayed(
    world: Any, office: Any, receiver: Any
) -> None:
    made = await office.endpoint(world, f"{receiver.url}/all", ["member.enrolled.v1"])
    receiver.script["/all"] = answers(500)
    await world.member("ana")
    await office.tell(world)
    await office.deliver_until(lambda: len(receiver.heard) == 10, pace=FAST)
    await office.deliver(pace=FAST)

    (dead,) = await office.deliveries(world)
    assert (dead["state"], dead["attempts"], dead["answered"]) == ("DEAD", 10, 500)
    assert (dead["problem"], len(receiver.heard)) == ("answered 500", 10)

    receiver.script.clear()
    await office.rows("update loyalty.webhook_endpoint set rest_until = null")
    (again,) = await office.change(world, deliveries.replay, [dead["id"]])
    assert (again.state, again.attempts) == ("PENDING", 0)
    await office.deliver()

    (done,) = await office.deliveries(world)
    assert (done["state"], done["attempts"]) == ("DELIVERED", 1)
    assert {(one.id, one.body) for one in receiver.heard} == {
        (str(dead["event_id"]), receiver.heard[0].body)
    }
    receiver.heard[-1].verified(made.text)
    (entry,) = await world.rows("select * from loyalty.audit_entry where action = 'webhook.replay'")
    assert entry["details"] == {"ids": [str(dead["id"])]}


def test_the_pauses_are_those_of_three_days_and_end() -> None:
    even = Pauses(chance=lambda: 0.5)
    waits = [even.after(attempts) for attempts in range(1, 11)]

    assert waits == [*PAUSES, None]
    assert timedelta(hours=75) < sum(PAUSES, timedelta()) < timedelta(hours=76)
    assert Pauses(chance=lambda: 0).after(2) == PAUSES[1] * 0.9
    assert even.after(1, timedelta(minutes=3)) == timedelta(minutes=3)
    assert even.after(3, timedelta(minutes=3)) == PAUSES[2]
    assert even.after(1, timedelta(days=400)) == timedelta(hours=24)
    assert [even.rest(failures) for failures in (1, 4, 5, 6, 40)] == [
        None, None, timedelta(seconds=5), timedelta(seconds=10), timedelta(minutes=10),
    ]  # fmt: skip


@pytest.mark.parametrize("status", [429, 503])
async def test_a_receiver_that_says_when_to_come_again_is_left_alone_till_then(
    status: int, world: Any, office: Any, receiver: Any
) -> None:
    made = await office.endpoint(world, f"{receiver.url}/all", ["member.enrolled.v1"])
    receiver.script["/all"] = answers(status, "retry-after: 3600")
    await world.member()
    await world.member()
    await office.tell(world)
    await office.deliver()

    waits = await office.rows(
        """select ready_at - clock_timestamp() as wait from loyalty.webhook_line
            where endpoint_id = $1 order by 1 desc""",
        made.endpoint.id,
    )
    health = await office.health(made.endpoint.id)
    left = health["rest_until"] - datetime.now(UTC)
    assert timedelta(minutes=58) < waits[0]["wait"] < timedelta(minutes=61)
    assert timedelta(minutes=58) < left < timedelta(minutes=61)
    heard = len(receiver.heard)
    await world.member()
    await office.tell(world)
    await office.deliver()
    assert len(receiver.heard) == heard


async def test_who_answers_410_is_disabled_and_gets_everything_once_enabled_again(
    world: Any, office: Any, receiver: Any
) -> None:
    made = await office.endpoint(world, f"{receiver.url}/all", ["member.enrolled.v1"])
    receiver.script["/all"] = in_turn(answers(410), answers(204))
    await world.member("gone-1")
    await office.tell(world)
    await office.deliver()
    await world.member("gone-2")
    await office.tell(world)
    await office.deliver()

    health = await office.health(made.endpoint.id)
    assert (health["status"], health["reason"], len(receiver.heard)) == ("DISABLED", "GONE", 1)
    (entry,) = await world.rows("select * from loyalty.audit_entry where role = 'WORKER'")
    assert (entry["action"], entry["details"]) == ("webhook.disable", {"answered": 410})

    await office.change(world, endpoints.enable, made.endpoint.id)
    await office.rows("update loyalty.webhook_line set ready_at = clock_timestamp()")
    await office.deliver()
    told = sorted(
        json.loads(one.body)["data"]["member"]["externalId"] for one in receiver.heard[1:]
    )
    assert told == ["gone-1", "gone-2"]


async def test_both_secrets_sign_for_a_day_after_a_rotation(
    world: Any, office: Any, receiver: Any
) -> None:
    first = await office.endpoint(world, f"{receiver.url}/all", ["member.enrolled.v1"])
    second = await office.change(world, endpoints.rotate, first.endpoint.id)
    await world.member()
    await office.tell(world)
    await office.deliver()
    await office.rows("update loyalty.webhook_secret set retires_at = now() - interval '1 second' "
                      "where retires_at is not null")  # fmt: skip
    await world.member()
    await office.tell(world)
    await office.deliver()

    during, after = receiver.heard
    assert during.verified(first.text) == during.verified(second.text)
    assert len(during.headers["webhook-signature"].split(" ")) == 2
    after.verified(second.text)
    with pytest.raises(WebhookVerificationError):
        after.verified(first.text)

    third = await office.change(world, endpoints.rotate, first.endpoint.id)
    fourth = await office.change(world, endpoints.rotate, first.endpoint.id)
    await world.member()
    await office.tell(world)
    await office.deliver()
    last = receiver.heard[-1]
    assert last.verified(third.text) == last.verified(fourth.text)
    with pytest.raises(WebhookVerificationError):
        last.verified(second.text)


async def test_a_deleted_endpoint_hears_no_more(world: Any, office: Any, receiver: Any) -> None:
    made = await office.endpoint(world, f"{receiver.url}/all", ["member.enrolled.v1"])
    await world.member()
    await office.tell(world)
    await office.change(world, endpoints.delete, made.endpoint.id)
    await world.member()
    await office.tell(world)
    await office.deliver()

    assert receiver.heard == []
    assert len(await office.deliveries(world)) == 1


async def test_a_ping_comes_whatever_is_subscribed(world: Any, office: Any, receiver: Any) -> None:
    made = await office.endpoint(world, f"{receiver.url}/all", ["member.closed.v1"])
    delivery = await office.change(world, deliveries.ping, made.endpoint.id)
    await office.deliver()

    (heard,) = receiver.heard
    said: Any = heard.verified(made.text)
    assert (said["type"], heard.id) == ("webhook.ping.v1", str(delivery.event_id))
