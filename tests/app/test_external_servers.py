"""Servers that were there before: used as they are, their logins set, none started beside them."""

import hmac
from base64 import b64decode, b64encode
from pathlib import Path

import asyncpg
import pytest

from loyalty.database import Database
from loyalty_app.embedded.postgres import FORGETFUL, Postgres, postgres
from loyalty_app.embedded.unprivileged import home
from loyalty_app.external import named_postgres, named_redis, postgres_version, redis_version
from loyalty_app.logins import verifier
from loyalty_app.ports import free_port
from loyalty_app.prepare import prepare
from loyalty_app.problem import Problem
from loyalty_app.reset import reset
from loyalty_app.servers import servers
from loyalty_app.settings import Settings


async def test_given_servers_are_prepared_and_none_is_started(
    tmp_path: Path, valkey_url: str
) -> None:
    # A server of its own: passwords of roles are the whole server's, and other tests use theirs.
    elsewhere, ours = tmp_path / "elsewhere", tmp_path / "ours"
    elsewhere.mkdir()
    ours.mkdir()
    with postgres(Postgres(home(elsewhere), password="p", options=FORGETFUL)) as url:
        given = Settings(database_url=url, redis_url=valkey_url, data_dir=ours)
        with servers(given) as settings:
            ready, applied = await prepare(settings)
            assert "loyalty/0001_kernel" in applied
            again, nothing = await prepare(settings)
            assert (again, nothing) == (ready, [])
        assert [entry.name for entry in ours.iterdir()] == ["secrets.json"]
        assert (ours / "secrets.json").stat().st_mode & 0o777 == 0o600
        for login in (ready.app_database_url, ready.worker_database_url, ready.audit_database_url):
            assert login is not None
            await (await Database.open(login, size=1)).close()
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(login.replace("@", "x@"))
        elsewhere_login = url.replace("postgres:p@", "loyalty_app:theirs@")
        kept = ready.model_copy(update={"app_database_url": elsewhere_login})
        found, _ = await prepare(kept)
        assert found.app_database_url == elsewhere_login
    reset(elsewhere)


@pytest.mark.parametrize("number", [170_009, 90_624])
def test_an_older_postgres_is_refused(number: int) -> None:
    with pytest.raises(Problem, match=r"LOYALTY_X leads to PostgreSQL (17|9)\. Use PostgreSQL 18"):
        named_postgres(number, setting="LOYALTY_X")
    assert named_postgres(180_006, setting="LOYALTY_X") == "18.6"


def test_an_older_redis_is_refused_and_valkey_is_not() -> None:
    with pytest.raises(Problem, match=r"LOYALTY_X leads to Redis 6\.2\.14\. Use Redis 7"):
        named_redis({"redis_version": "6.2.14"}, setting="LOYALTY_X")
    assert named_redis({"redis_version": "7.4.1"}, setting="LOYALTY_X") == "redis 7.4.1"
    valkey = {"redis_version": "7.2.4", "valkey_version": "9.1.2"}
    assert named_redis(valkey, setting="LOYALTY_X") == "valkey 9.1.2"


async def test_a_server_that_is_not_there_is_named_by_its_setting() -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    with pytest.raises(Problem, match="PostgreSQL does not answer at LOYALTY_DATABASE_URL"):
        await postgres_version(f"postgresql://a:b@{nowhere}/c", setting="LOYALTY_DATABASE_URL")
    with pytest.raises(Problem, match="Redis does not answer at LOYALTY_REDIS_URL"):
        await redis_version(f"redis://{nowhere}/0", setting="LOYALTY_REDIS_URL")


def test_a_password_is_kept_so_that_the_exchange_of_rfc_7677_succeeds() -> None:
    # Its example: user "user", password "pencil"; the server signs with the key that we make.
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    salt = "W22ZaJ0SNY7soEsUEjb6gQ=="
    said = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s={salt},i=4096,c=biws,r={nonce}"
    kept = verifier("pencil", b64decode(salt))
    assert kept.startswith(f"SCRAM-SHA-256$4096:{salt}$")
    signature = hmac.digest(b64decode(kept.rpartition(":")[2]), said.encode(), "sha256")
    assert b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
