"""`loyalty up` as a process: started, interrupted, killed, started again."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest

from loyalty_app import private
from loyalty_app.ports import free_port
from loyalty_app.problem import Problem
from loyalty_app.reset import reset
from loyalty_app.secrets_kept import secrets_in

# A child that holds the port as the API does (and for a while yet, when its parent was killed), and
# an `up` around it.
CHILD = """
import os, signal, socket, sys, time
from loyalty_app.parent import end_with_parent
parent = os.getppid()
def end(*_):
    time.sleep(0 if os.getppid() == parent else 1)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
end_with_parent()
server = socket.create_server(("127.0.0.1", int(os.environ["LOYALTY_PORT"])))
assert "LOYALTY_DATABASE_URL" not in os.environ, "the privileged login is none of its business"
print("child", os.getpid(), flush=True)
time.sleep(60)
"""
UP = textwrap.dedent(
    f"""
    import sys
    from loyalty_app.children import Child
    from loyalty_app.settings import Settings
    from loyalty_app.up import up

    async def welcome(settings):
        print("ready", settings.database_url, settings.app_database_url, flush=True)

    child = Child(name="api", command=(sys.executable, "-c", {CHILD!r}))
    up(Settings(), children=[child], welcome=welcome)
    """
)


class Up:
    """A running `up`: its process, its children's, and the addresses it told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        _, self.admin, self.app = self.line("ready")
        self.child = int(self.line("child")[1])
        self.all = psutil.Process(self.process.pid).children(recursive=True)

    def line(self, first: str) -> list[str]:
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        assert words[:1] == [first]
        return words

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        self.process.communicate(timeout=20)
        return self.process.returncode


@contextmanager
def up(folder: Path, port: int) -> Iterator[Up]:
    with subprocess.Popen(
        [sys.executable, "-c", UP],
        env=environment(folder, port),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Up(process)
        finally:
            process.kill()


def environment(folder: Path, port: int) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("LOYALTY_")}
    return {**ours, "LOYALTY_DATA_DIR": str(folder), "LOYALTY_PORT": str(port)}


def loyalty(folder: Path, port: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "loyalty_app", *arguments],
        env=environment(folder, port),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    reset(tmp_path / "data")


async def ask(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_interrupted_and_killed_and_started_again(folder: Path) -> None:
    port = free_port()
    with up(folder, port) as first:
        assert await ask(first.app, "select current_user") == "loyalty_app"
        assert await ask(first.admin, "show fsync") == "on"
        assert await ask(first.admin, "show checkpoint_timeout") == "15min"  # as embedded.sizing
        await ask(first.admin, "create table kept as select 42 as answer")
        beside = loyalty(folder, port, "doctor")
        assert beside.returncode == 0, beside.stdout
        second = loyalty(folder, port, "up")
        assert second.returncode == 1
        assert f"running in {folder} already (process {first.process.pid})" in second.stderr
        assert first.end(signal.SIGINT) == 0
    assert at_work(first.all) == []
    assert not (folder / "running.json").exists()

    with up(folder, port) as killed:
        assert await ask(killed.admin, "select answer from kept") == 42
    # At once, while the child of the killed one may still hold the port.
    with up(folder, port) as again:
        assert await ask(again.admin, "select answer from kept") == 42
        assert again.end(signal.SIGTERM) == 0
    assert at_work([*killed.all, *again.all]) == []


def at_work(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; a zombie waits for its parent only."""
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def test_what_it_prints_can_be_used_at_once(folder: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "loyalty_app", "up"],
        env=environment(folder, port),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "Explorer\n"
            answer = httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False)
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert answer.status_code == 200
    assert rest.endswith("Stopped.\n")
    assert process.returncode == 0


def test_a_taken_port_ends_it_before_anything_is_started(folder: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        text=True,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        refused = loyalty(folder, port, "up")
        other.terminate()
    assert refused.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in refused.stderr
    assert f"LOYALTY_PORT={port + 1}" in refused.stderr
    assert not (folder / "servers").exists()


def test_a_data_folder_that_cannot_be_written_is_a_clear_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = loyalty(tmp_path / "file" / "data", free_port(), "up")
    assert refused.returncode == 1
    assert "Cannot write to the data folder" in refused.stderr
    assert "LOYALTY_DATA_DIR" in refused.stderr


@pytest.mark.parametrize(
    "content", [b"", b'{"postgres": "abc', b"[]", b"{}", b"null", b'{"postgres": "a"}', b"\xff\0"]
)
def test_damaged_secrets_are_named_and_left_as_they_are(tmp_path: Path, content: bytes) -> None:
    secrets = tmp_path / "secrets.json"
    secrets.write_bytes(content)

    with pytest.raises(Problem, match="is damaged") as refused:
        secrets_in(tmp_path)

    assert str(secrets) in refused.value.what
    assert "from a backup" in refused.value.mend
    assert "loyalty reset" in refused.value.mend
    assert secrets.read_bytes() == content


def test_nothing_starts_with_damaged_secrets(folder: Path) -> None:
    folder.mkdir()
    (folder / "secrets.json").write_bytes(b'{"postgres": "abc')

    refused = loyalty(folder, free_port(), "up")

    assert refused.returncode == 1
    assert f"{folder / 'secrets.json'} is damaged" in refused.stderr
    assert "Traceback" not in refused.stderr + refused.stdout
    assert not (folder / "servers").exists()


def test_a_file_that_was_replaced_is_whole_or_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    private.write(path, {"a": "1"})
    with pytest.raises(TypeError):
        private.write(path, {"a": object()})
    assert private.read(path) == {"a": "1"}
