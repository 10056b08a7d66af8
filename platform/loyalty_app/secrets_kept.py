"""Passwords that the platform makes up for itself, kept in the data folder."""

from pathlib import Path
from secrets import token_urlsafe

from loyalty_app import private

NAMES = ("postgres", "valkey", "loyalty_app", "loyalty_worker", "loyalty_audit", "operator")


def secrets_in(data_dir: Path) -> dict[str, str]:
    """A secret of 256 bits for each name; made on the first call, the same ever after."""
    path = data_dir / "secrets.json"
    kept = private.read(path)
    missing = {name: token_urlsafe(32) for name in NAMES if not kept.get(name)}
    if missing:
        kept |= missing
        private.write(path, kept)
    return {name: str(kept[name]) for name in NAMES}
