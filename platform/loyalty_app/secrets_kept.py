"""Passwords that the platform makes up for itself, kept in the data folder."""

from pathlib import Path
from secrets import token_urlsafe

from loyalty_app import private

NAMES = ("postgres", "valkey", "loyalty_app", "loyalty_worker", "loyalty_audit", "operator")
FIRST = ("postgres", "valkey")  # in every file there ever was; a later version may add names


def secrets_in(data_dir: Path) -> dict[str, str]:
    """A secret of 256 bits for each name; made on the first call, the same ever after.

    :raises Problem: the file is damaged; the servers keep data that only its secrets open
    """
    path = data_dir / "secrets.json"
    kept = private.read(path)
    if path.exists() and not all(isinstance(kept.get(name), str) and kept[name] for name in FIRST):
        raise private.damaged(path)
    missing = {name: token_urlsafe(32) for name in NAMES if not kept.get(name)}
    if missing:
        kept |= missing
        private.write(path, kept)
    return {name: str(kept[name]) for name in NAMES}
