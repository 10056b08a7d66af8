"""What runs in a data folder: written by `loyalty up`, read by the commands beside it.

The file goes away when `up` ends well, so one that is left over tells of a crash.
"""

from pathlib import Path

from loyalty_app import private

SHARED = (
    "database_url",
    "app_database_url",
    "worker_database_url",
    "audit_database_url",
    "redis_url",
    "operator_secret",
)


def path_in(data_dir: Path) -> Path:
    return data_dir / "running.json"


def read(data_dir: Path) -> dict[str, str]:
    """Names of settings and their values; empty where nothing runs."""
    found = private.read(path_in(data_dir))
    return {name: found[name] for name in SHARED if isinstance(found.get(name), str)}


def write(data_dir: Path, settings: dict[str, object]) -> None:
    private.write(path_in(data_dir), {name: settings[name] for name in SHARED})


def forget(data_dir: Path) -> None:
    path_in(data_dir).unlink(missing_ok=True)
