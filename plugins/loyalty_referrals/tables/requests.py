"""The columns by which a loader's answers find back to what asked for them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from loyalty.plugin import LoadRequest

Where = tuple[int, str]

# `w` in every statement of this folder, as these columns make it.
ASKED = "unnest($1::int[], $2::text[], $3::uuid[], $4::uuid[]) w (at, program, program_id, member)"


def columns(requests: Sequence[LoadRequest]) -> list[list[Any]]:
    return [
        [one.at for one in requests],
        [one.program for one in requests],
        [one.program_id for one in requests],
        [one.member_id for one in requests],
    ]


def where(row: Any) -> Where:
    return row["at"], row["program"]


def given(request: LoadRequest, name: str) -> Any:
    """An attribute of the fact that is asked about, if it has any."""
    attributes: Mapping[str, Any] = getattr(request.fact, "attributes", None) or {}
    return attributes.get(name)


def of_type(requests: Iterable[LoadRequest], *kinds: type) -> list[LoadRequest]:
    return [one for one in requests if isinstance(one.fact, kinds) and one.member_id is not None]
