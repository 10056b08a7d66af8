"""Names in Redis. All start with the tenant as hash tag, so one tenant's live on one node."""

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

from loyalty.owners import Holder, Owner

EVERY_TENANT = "l1:config"
CONFIG = "config"
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)


def balance_key(tenant: UUID, epoch: str, holder: Holder, unit: str) -> str:
    """`epoch` names one life of the database: a restored backup starts over with lower versions."""
    return f"{_of(tenant)}{epoch}:bal:{holder}:{_safe(unit)}"


def balance_keys(tenant: UUID, epoch: str, wants: Iterable[tuple[Holder, str]]) -> list[str]:
    before = f"{_of(tenant)}{epoch}:bal:"
    return [f"{before}{holder}:{_safe(unit)}" for holder, unit in wants]


def channel_name(tenant: UUID, channel: str) -> str:
    return _of(tenant) + channel


def member_channel(member: UUID) -> str:
    return f"member:{member}"


def holder_channel(holder: Holder) -> str:
    """Where it is told that a balance of a member, or of another owner, moved."""
    return f"owner:{holder}" if isinstance(holder, Owner) else member_channel(holder)


@lru_cache(maxsize=1_024)  # a batch names hundreds of balances of one tenant
def _of(tenant: UUID) -> str:
    return f"l1:{{{tenant}}}:"


@lru_cache(maxsize=1_024)  # codes of units, of which there are few
def _safe(text: str) -> str:
    """Text that somebody typed, fit for a key: as it is where it is plain, else its digest."""
    if _PLAIN.fullmatch(text):
        return text
    return "#" + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
