"""Visits that a door counter reports."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from loyalty.facts import ActivityRecorded, MemberRef
from loyalty.plugin import InboundEvent

SIGNATURE = "x-stamps-signature"


def signed(headers: Mapping[str, str], raw: bytes, secrets: Mapping[str, str]) -> bool:
    """Whether the header holds the HMAC-SHA256 (hex) of the body under `webhook_secret`."""
    secret = secrets.get("webhook_secret")
    if not secret:
        return False
    expected = hmac.new(secret.encode(), raw, "sha256").hexdigest()
    return hmac.compare_digest(expected.encode(), headers.get(SIGNATURE, "").encode())


def visits(payload: Any) -> Sequence[InboundEvent]:
    """`{"visits": [{"id", "member", "at"}, ...]}`; `at` is ISO 8601 with an offset."""
    try:
        return [_visit(visit) for visit in payload["visits"]]
    except (KeyError, TypeError) as error:
        raise ValueError("a delivery is {visits: [{id, member, at}]}") from error


def _visit(visit: Mapping[str, str]) -> InboundEvent:
    fact = ActivityRecorded(
        member=MemberRef(external_id=visit["member"]),
        occurred_at=datetime.fromisoformat(visit["at"]),
        source="door",
        external_id=visit["id"],
        type="visit",
    )
    return InboundEvent(event_id=visit["id"], facts=(fact,))
