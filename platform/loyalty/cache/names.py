"""Names in Redis. All start with the tenant as hash tag, so one tenant's live on one node."""

import re
from hashlib import blake2b
from uuid import UUID

EVERY_TENANT = "l1:config"
CONFIG = "config"
_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)


def balance_key(tenant: UUID, epoch: str, member: UUID, unit: str) -> str:
    """`epoch` names one life of the database: a restored backup starts over with lower versions."""
    return f"l1:{{{tenant}}}:{epoch}:bal:{member}:{_safe(unit)}"


def channel_name(tenant: UUID, channel: str) -> str:
    return f"l1:{{{tenant}}}:{channel}"


def member_channel(member: UUID) -> str:
    return f"member:{member}"


def _safe(text: str) -> str:
    """Text that somebody typed, fit for a key: as it is where it is plain, else its digest."""
    if _PLAIN.fullmatch(text):
        return text
    return "#" + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
