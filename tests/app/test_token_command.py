"""`loyalty token`: for a tenant that is there."""

from collections.abc import Callable
from secrets import token_urlsafe
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from loyalty_app.cli import app
from loyalty_app.logins import Addresses


@pytest.fixture
def run(dsn: Addresses, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv("LOYALTY_APP_DATABASE_URL", dsn.app)
    monkeypatch.setenv("LOYALTY_OPERATOR_SECRET", token_urlsafe(40))

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, list(words))
        return result.output if result.exit_code == 0 else str(result.exception)

    return run


def test_a_token_for_a_tenant_that_is_not_there_is_not_printed(run: Callable[..., str]) -> None:
    slug = f"brand-{uuid4().hex[-12:]}"

    assert f"There is no tenant '{slug}'" in run("token", "--tenant", slug)
    run("tenant", "create", slug, "--name", "Brand")
    assert run("token", "--tenant", slug).count(".") == 2
