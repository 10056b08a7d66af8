"""Settings come from the environment and from files that it names, and secrets are never told."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from loyalty_app import cli
from loyalty_app.logins import given_passwords
from loyalty_app.problem import Problem
from loyalty_app.secret_files import secret_settings, variable_of_file
from loyalty_app.settings import Settings
from loyalty_app.urls import POSTGRES, REDIS, mistake_in

SECRET = "postgresql://loyalty_app:canary%2F%40@db.internal:5432/loyalty"
Given = Callable[..., None]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Given:
    """Sets `LOYALTY_<NAME>`; nothing runs in the data folder."""
    monkeypatch.setenv("LOYALTY_DATA_DIR", str(tmp_path / "data"))

    def set_(**settings: object) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(f"LOYALTY_{name.upper()}", str(value))

    return set_


def test_whatever_holds_a_secret_may_be_a_file() -> None:
    assert set(secret_settings(Settings)) == {
        "database_url", "app_database_url", "worker_database_url", "audit_database_url",
        "redis_url", "operator_secret",
    }  # fmt: skip


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_is_read_from_the_file_that_is_named(
    given: Given, tmp_path: Path, end: str
) -> None:
    file = tmp_path / "url"
    file.write_bytes(f"{SECRET}{end}".encode())
    given(app_database_url_file=file)
    assert Settings.load().app_database_url == SECRET


def test_an_empty_name_names_no_file(given: Given) -> None:
    given(app_database_url=SECRET, app_database_url_file="")
    assert Settings.load().app_database_url == SECRET


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"", "holds nothing"),
        (b" \n", "holds nothing"),
        (b"canary\nmore", "holds several lines"),
        (b"\xff\xfecanary", "cannot be read (it is no text)"),
    ],
)
def test_a_file_that_does_not_do_is_named_and_not_quoted(
    given: Given, tmp_path: Path, content: bytes | None, problem: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    given(operator_secret_file=file)
    with pytest.raises(Problem, match=r"^LOYALTY_OPERATOR_SECRET_FILE: ") as told:
        Settings.load()
    assert f"{file} {problem}." in str(told.value)
    assert "canary" not in str(told.value)


def test_a_setting_has_one_source(given: Given, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file")
    given(operator_secret="directly", operator_secret_file=tmp_path / "secret")
    with pytest.raises(Problem, match=r"LOYALTY_OPERATOR_SECRET and .*_FILE are both set"):
        Settings.load()


def test_a_process_that_is_started_gets_values_and_no_second_opinion(
    given: Given, tmp_path: Path
) -> None:
    (tmp_path / "url").write_text(SECRET)
    given(app_database_url_file=tmp_path / "url")
    environment = Settings.load().environment()
    given(**{name.removeprefix("LOYALTY_").lower(): text for name, text in environment.items()})
    assert environment[variable_of_file("app_database_url")] == ""
    assert Settings.load().app_database_url == SECRET


FORMS = [
    ("postgresql://u:p@h:5432/db", True),
    ("postgres://u@h/db", True),
    ("postgresql://u:p@one:5432,two:5432/db?target_session_attrs=primary", True),
    ("postgresql://u:p%2F%40@[::1]:5432/db", True),
    ("postgresql:///db?host=/run/postgresql&user=a@b", True),
    ("redis://h", True),
    ("rediss+cluster://u:p@one:6379,two:6379", True),
    ("unix:///run/valkey.sock?db=0", True),
    ("postgresql://u:canary/x@h:5432/db", False),
    ("postgresql://u:12/canary@h:5432/db", False),
    ("postgresql://u:canary#x@h/db", False),
    ("postgresql://u:canary?x@h/db", False),
    ("postgresql://u:x@canary@h/db", False),
    ("postgresql://u:p@h:canary/db", False),
    ("postgresql://u:p@h:123456/db", False),
    ("mysql://u:canary@h/db", False),
    ("redis://:canary/x@h:6379/0", False),
    ("canary", False),
    ("", False),
]


@pytest.mark.parametrize(("url", "sound"), FORMS)
def test_mistakes_in_addresses_are_seen_and_not_quoted(url: str, sound: bool) -> None:
    schemes = REDIS if url.startswith(("redis", "unix")) else POSTGRES
    mistake = mistake_in(url, schemes)
    assert (mistake is None) is sound, mistake
    assert not re.search("canary|12", mistake or "")


COMMANDS = ["migrate", "audit", "doctor", "up", "token"]  # the serving ones load them likewise
BAD = [url for url, sound in FORMS if url and not sound and not url.startswith("redis")]


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_tells_a_secret_that_is_wrong(
    given: Given, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["loyalty", command])
    for url in BAD:
        given(
            database_url=url, app_database_url=url, worker_database_url=url, audit_database_url=url,
            redis_url="redis://canary/x@h", operator_secret="canary",
        )  # fmt: skip
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = "".join(capsys.readouterr())
        assert end.value.code == 1
        assert "LOYALTY_DATABASE_URL" in said
        assert "canary" not in said


def test_settings_show_no_secret() -> None:
    secrets = dict.fromkeys(secret_settings(Settings), SECRET) | {"redis_url": "redis://canary"}
    assert "canary" not in repr(Settings.model_validate(secrets))
    with pytest.raises(ValueError, match="no address") as told:
        Settings(database_url="canary")
    assert "canary" not in str(told.value)


def test_passwords_are_taken_from_the_addresses_of_the_logins() -> None:
    worker = SECRET.replace("loyalty_app", "loyalty_worker").replace("canary", "other")
    found = given_passwords(Settings(app_database_url=SECRET, worker_database_url=worker))
    assert found == {"loyalty_app": "canary/@", "loyalty_worker": "other/@"}


@pytest.mark.parametrize("login", ["postgres:canary", "loyalty_worker:canary", "loyalty_app"])
def test_an_address_of_somebody_else_sets_no_password(login: str) -> None:
    with pytest.raises(Problem, match="no password for the login loyalty_app") as told:
        given_passwords(Settings(app_database_url=f"postgresql://{login}@h:5432/db"))
    assert "canary" not in str(told.value)
