"""The door to the outside: signed deliveries become visits; the secret is only ever written."""

import hmac
import json
from typing import Any

import pytest

from loyalty_stamps.inbound import SIGNATURE
from loyalty_stamps.plugin import plugin
from loyalty_tenants.program_secrets import secrets_of

BODY = json.dumps(
    {"visits": [{"id": "v-1", "member": "ann", "at": "2026-01-10T12:00:00+00:00"}]}
).encode()


def _signed(secret: str, raw: bytes = BODY) -> dict[str, str]:
    return {SIGNATURE: hmac.new(secret.encode(), raw, "sha256").hexdigest()}


@pytest.mark.parametrize(
    ("headers", "raw", "secrets", "authentic"),
    [
        (_signed("hush"), BODY, {"webhook_secret": "hush"}, True),
        (_signed("other"), BODY, {"webhook_secret": "hush"}, False),
        (_signed("hush"), BODY + b" ", {"webhook_secret": "hush"}, False),
        ({}, BODY, {"webhook_secret": "hush"}, False),
        ({SIGNATURE: "é"}, BODY, {"webhook_secret": "hush"}, False),
        (_signed(""), BODY, {}, False),
        (_signed(""), BODY, {"webhook_secret": ""}, False),
    ],
    ids=["good", "other secret", "other body", "unsigned", "not hex", "no secret", "empty secret"],
)
def test_only_who_knows_the_secret_is_heard(
    headers: dict[str, str], raw: bytes, secrets: dict[str, str], authentic: bool
) -> None:
    assert plugin.inbound is not None
    assert plugin.inbound.verify(headers, raw, secrets) is authentic


@pytest.mark.parametrize(
    "payload",
    [
        [],
        {},
        {"visits": [1]},
        {"visits": [{"id": "v-1"}]},
        {"visits": [{"id": "v-1", "member": "ann", "at": "noon"}]},
        {"visits": [{"id": "v-1", "member": "ann", "at": "2026-01-10T11:59:00"}]},
        {"visits": [{"id": "v-1", "member": "ann", "at": 5}]},
    ],
)
def test_a_malformed_delivery_is_a_value_error(payload: Any) -> None:
    assert plugin.inbound is not None
    with pytest.raises(ValueError):  # noqa: PT011 - which one is the plugin's own matter
        plugin.inbound.facts(payload)


async def test_a_delivery_stamps_the_card_once(shop: Any) -> None:
    program_id = await shop.run("card", visit_stamps=1, webhook_secret="hush")
    member = await shop.member("ann")
    async with shop.database.tenant(shop.tenant_id, read_only=True) as connection:
        secrets = await secrets_of(connection, program_id)
    assert plugin.inbound is not None
    assert plugin.inbound.verify(_signed("hush"), BODY, secrets)

    for _ in range(2):
        for event in plugin.inbound.facts(json.loads(BODY)):
            await shop.records(*event.facts)

    assert await shop.stamps(member) == [1]


async def test_the_secret_is_in_no_config_and_no_version(shop: Any) -> None:
    await shop.run("card", webhook_secret="hush-hush")

    schema = shop.configs.schema("stamps")
    (kept,) = await shop.rows(
        """select p.draft::text as draft, v.config::text as config, a.details::text as audit
             from loyalty.program p join loyalty.program_version v on v.program_id = p.id,
                  (select string_agg(details::text, '') as details from loyalty.audit_entry) a"""
    )

    assert schema["properties"]["webhook_secret"]["writeOnly"] is True
    assert all("hush-hush" not in text for text in kept)
