"""`loyalty member`: a copy of all that is held about somebody, and an end of it."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from loyalty.facts import MemberEnrolled
from loyalty.settlement.request import Request
from loyalty_app.cli import app
from loyalty_app.ledger import open_ledger
from loyalty_app.logins import Addresses
from loyalty_app.settings import Settings
from loyalty_graphql.ids import node_id
from loyalty_tenants.tenants import tenant_of_slug

WHO = ("--external-id", "ada@example.com")


@pytest.fixture
def run(dsn: Addresses, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv("LOYALTY_APP_DATABASE_URL", dsn.app)
    monkeypatch.setenv("LOYALTY_OPERATOR_SECRET", token_urlsafe(40))

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, list(words))
        return result.output if result.exit_code == 0 else f"{result.output}{result.exception!r}"

    return run


def test_a_member_is_handed_out_and_then_taken_away(
    run: Callable[..., str], dsn: Addresses, tmp_path: Path
) -> None:
    slug = f"brand-{uuid4().hex[-12:]}"
    run("tenant", "create", slug, "--name", "Brand")
    member_id = asyncio.run(enrolled(dsn, slug))
    file = tmp_path / "ada.json"
    run("member", "export", slug, *WHO, "--to", str(file))
    held: dict[str, Any] = json.loads(file.read_text())["rows"]
    assert [row["external_id"] for row in held["member"]] == [WHO[1]]
    assert [row["kind"] for row in held["fact"]] == ["MemberEnrolled"]
    assert file.stat().st_mode & 0o077 == 0

    assert "Abort" in run("member", "erase", slug, *WHO), "it asks, and nobody said yes"
    assert f"Erased member {member_id}." in run("member", "erase", slug, *WHO, "--yes")
    assert "no such member" in run("member", "export", slug, *WHO)
    by_id = ("--id", node_id("Member", member_id))
    exported = run("member", "export", slug, *by_id)
    assert WHO[1] not in exported
    assert "once more" in run("member", "erase", slug, *by_id, "--yes")
    actions = [row["action"] for row in json.loads(exported)["rows"]["audit_entry"]]
    assert actions == ["member.export", "member.erase", "member.export"]


def test_who_is_meant_must_be_clear(run: Callable[..., str]) -> None:
    assert "not clear who is meant" in run("member", "export", "acme")
    assert "not clear who is meant" in run("member", "export", "acme", *WHO, "--id", "x")


async def enrolled(dsn: Addresses, slug: str) -> UUID:
    async with open_ledger(Settings(), dsn.app, pool=2) as ledger:
        tenant_id = await tenant_of_slug(ledger.database, slug)
        assert tenant_id is not None
        now = ledger.recorder.clock.now()
        fact = MemberEnrolled(occurred_at=now, external_id=WHO[1], attributes={"name": "Ada"})
        (done,) = await ledger.recorder.record_many(tenant_id, [Request(fact=fact, actor="x")])
        assert not isinstance(done, Exception)
        assert done.member_id is not None
        return done.member_id
