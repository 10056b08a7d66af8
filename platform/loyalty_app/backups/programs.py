"""PostgreSQL's own programs that copy a database out and in again."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from loyalty_app.embedded.programs import postgres_programs
from loyalty_app.problem import Problem

END = 8  # lines of what a program said last


def run(name: str, arguments: Sequence[str | Path], *, url: str) -> None:
    """Run `pg_dump` or `pg_restore` on a database until it is done.

    :raises Problem: the program is missing, or it failed
    """
    address, password = _without_password(url)
    done = subprocess.run(
        [_program(name), *map(str, arguments), "-d", address],
        env={"PGPASSWORD": password, "LC_ALL": "C"},  # its arguments show to all of this machine
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join(done.stderr.strip().splitlines()[-END:])
        raise Problem(
            f"{name} failed: {said}",
            "See to what it names; the login must be a superuser, or own what it copies",
        )


def _program(name: str) -> str | Path:
    """That of the system where there is one (LOYALTY_DATABASE_URL names its server), else ours."""
    try:
        return postgres_programs(Path()) / name
    except Problem:
        if found := shutil.which(name):
            return found
        raise Problem(
            f"There is no program {name}", "Install the client programs of PostgreSQL 18"
        ) from None


def _without_password(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    login, _, place = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    netloc = f"{user}@{place}" if user else place
    return urlunsplit(parts._replace(netloc=netloc)), unquote(password)
