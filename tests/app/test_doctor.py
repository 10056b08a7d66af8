"""The doctor finds what is wrong, and says how to mend it."""

import socket
from pathlib import Path

from loyalty_app import doctor
from loyalty_app.doctor import Finding, examine
from loyalty_app.logins import Addresses
from loyalty_app.ports import free_port
from loyalty_app.settings import Settings


async def findings(settings: Settings) -> list[Finding]:
    return [finding async for finding in examine(settings)]


async def test_a_sound_environment_has_nothing_to_mend(
    tmp_path: Path, dsn: Addresses, valkey_url: str
) -> None:
    settings = Settings(
        database_url=dsn.admin,
        app_database_url=dsn.app,
        worker_database_url=dsn.worker,
        audit_database_url=dsn.audit,
        redis_url=valkey_url,
        data_dir=tmp_path,
        port=free_port(),
    )
    found = await findings(settings)
    assert [finding for finding in found if finding.mend] == []
    assert len(found) == 10


async def test_a_login_that_row_security_would_not_hold_is_named(dsn: Addresses) -> None:
    found = await doctor.login(dsn.admin, "loyalty_app", "LOYALTY_APP_DATABASE_URL")
    assert "it is a superuser" in found.what
    assert found.mend == "Use the login role loyalty_app in LOYALTY_APP_DATABASE_URL"


async def test_a_database_without_migrations_says_so(dsn: Addresses) -> None:
    bare = dsn.admin.rpartition("/")[0] + "/postgres"
    found = await doctor.migrations(bare)
    assert found.what.startswith("Migrations pending: loyalty/0001_kernel")
    assert found.mend == "Run `loyalty migrate`"


async def test_servers_that_do_not_answer_are_named(tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    settings = Settings(
        database_url=f"postgresql://a:b@{nowhere}/c",
        app_database_url=f"postgresql://a:b@{nowhere}/c",
        redis_url=f"redis://{nowhere}/0",
        data_dir=tmp_path,
        port=free_port(),
    )
    wrong = [finding.what for finding in await findings(settings) if finding.mend]
    assert len(wrong) == 4
    assert "LOYALTY_DATABASE_URL" in wrong[0]
    assert wrong[1].startswith("Migrations unknown")
    assert "LOYALTY_APP_DATABASE_URL" in wrong[2]
    assert "LOYALTY_REDIS_URL" in wrong[3]


def test_an_old_python_a_taken_port_and_a_folder_that_is_none(tmp_path: Path) -> None:
    assert doctor.python_version((3, 11)).mend is None
    assert doctor.python_version((3, 10)).mend is not None
    (tmp_path / "file").touch()
    assert "LOYALTY_DATA_DIR" in str(
        doctor.data_folder(Settings(data_dir=tmp_path / "file" / "data")).mend
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"LOYALTY_PORT={port + 1}" in str(
            doctor.port(Settings(port=port, data_dir=tmp_path)).mend
        )
