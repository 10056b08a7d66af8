"""A backup is a restore that was done: base backup and archived log under load, then the end."""

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from loyalty_app.embedded.programs import postgres_programs
from loyalty_app.embedded.unprivileged import account, home, own
from tests.faults import report
from tests.faults.journal import Fate
from tests.faults.load import Load, loading
from tests.faults.stand import Stand, stand
from tests.faults.verdict import ledger_matches

ARCHIVED_SECONDS = 5
LOST_SECONDS = 60.0
RESTORE_SECONDS = 300.0
LOAD_SECONDS = 8.0
OPTIONS = {
    "archive_mode": "on",
    "archive_timeout": str(ARCHIVED_SECONDS),
    "wal_level": "replica",
    "max_wal_senders": "4",
}
NEW_EPOCH = """set role loyalty_owner;
update loyalty.installation set epoch = gen_random_uuid()"""
_KEYS = """select key from loyalty.fact where tenant_id = $1 and scope = 'purchase:till'
           union all select key from loyalty.command_key where tenant_id = $1"""


@pytest.mark.soak
async def test_a_backup_made_under_load_is_restored() -> None:
    async with stand(OPTIONS) as platform:
        archive = _archive(platform)
        await _archive_to(platform, archive)
        brand = await platform.brand()
        apis = await platform.apis()
        async with loading(brand, apis, platform.folder, rate=60) as load:
            await asyncio.sleep(2.0)
            await asyncio.to_thread(_back_up, platform)
            await asyncio.sleep(LOAD_SECONDS)
            ended = load.now
            platform.postgres.kill()
            await load.stop()
            begun = load.now
            await _restore(platform, archive)
            took = load.now - begun
            for api in apis:  # as the manual says: a new epoch before anybody serves
                await api.stop()
                api.start()
            await asyncio.gather(*(api.serves() for api in apis))
            lost, age = await _send_again(platform, load, ended)
            verdict = await _judge_restored(platform, load)
    report.within(LOST_SECONDS, age, "acknowledged before the end, and not in the backup")
    report.within(RESTORE_SECONDS, took, "the restore")
    report.note(
        report.Row(
            place=140,
            what="the database is lost and restored from its backup",
            tried=(
                "`pg_basebackup` under load and the archived log (a segment every "
                f"{ARCHIVED_SECONDS} s at most), then `kill -9`, the old cache left in Valkey"
            ),
            held=(
                f"nothing older than {LOST_SECONDS:g} s is missing; sent again under their keys "
                "the missing ones are there, once; no old cached balance is believed"
            ),
            measured=f"{lost} calls of the last {age:.1f} s to send again, restored in {took:.1f} s"
            f"; {verdict}",
        )
    )


async def _judge_restored(platform: Stand, load: Load) -> str:
    """As any verdict, but for calls whose first answer is of the life that was lost."""
    retried = await load.resolve()
    await ledger_matches(platform.settings, load.caller.brand.tenant_id, load.journal)
    return f"{len(load.journal.writes):,} writes, {retried} of unknown outcome sent again"


def _archive(platform: Stand) -> Path:
    folder = home(platform.folder) / "archive"
    own(folder)
    return folder


async def _archive_to(platform: Stand, archive: Path) -> None:
    async with platform.admin() as admin:
        await admin.execute(f"alter system set archive_command = 'cp %p {archive}/%f'")
        await admin.execute("select pg_reload_conf()")


def _back_up(platform: Stand) -> None:
    place = home(platform.folder)
    own(place / "backup")
    subprocess.run(
        [
            postgres_programs(place) / "pg_basebackup",
            *("-D", place / "backup", "-X", "none", "-c", "fast"),
            *("-d", platform.settings.need("database_url")),
        ],
        check=True,
        cwd="/",
        capture_output=True,
        **_as_the_servers(),
    )


def _as_the_servers() -> dict[str, Any]:
    who = account()
    return {} if who is None else {"user": who.pw_uid, "group": who.pw_gid}


async def _restore(platform: Stand, archive: Path) -> None:
    """The backup in the place of what was lost; the log as far as it was archived."""
    dead = platform.postgres.folder
    dead.rename(dead.with_name("lost"))
    shutil.move(dead.with_name("backup"), dead)
    with (dead / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"restore_command = 'cp {archive}/%f %p'\n")
    (dead / "recovery.signal").touch()
    await platform.postgres.start()
    async with platform.admin() as admin:
        while await admin.fetchval("select pg_is_in_recovery()"):
            await asyncio.sleep(0.1)
        await admin.execute(NEW_EPOCH)


async def _send_again(platform: Stand, load: Load, ended: float) -> tuple[int, float]:
    """Acknowledged calls that the restored ledger lacks: how many, and how old the oldest was."""
    connection = await asyncpg.connect(platform.settings.need("database_url"))
    there = {row["key"] for row in await connection.fetch(_KEYS, load.caller.brand.tenant_id)}
    await connection.close()
    lost = [c for c in load.journal.writes if c.fate is Fate.DONE and c.key not in there]
    for call in lost:
        answer = await load.caller.send(call, load.apis[0].url)
        assert answer.fate is Fate.DONE, answer
    oldest = min((call.answers[0].at for call in lost), default=ended)
    return len(lost), ended - oldest
