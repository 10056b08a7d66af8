"""The name of one request, in its answer, its logs and in what support is told."""

import re

from loyalty.ids import new_id

HEADER = "x-request-id"
_VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{7,63}", re.ASCII)


def request_id(given: str | None) -> str:
    """The caller's own, where it is 8 to 64 harmless characters, or a new one."""
    return given if given is not None and _VALID.fullmatch(given) else new_id().hex
