"""JSON as its text: of what is only handed over nobody looks at the values again."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import orjson


class JsonText(Mapping[str, Any]):
    """An object of JSON, written out at once, while its values are at hand: in a large batch they
    would be far from the processor when its rows are sent, and take several times the memory.

    The values are read from the text again when somebody looks. Nobody may change them.
    """

    __slots__ = ("_values", "text")

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.text = orjson.dumps(values, default=plain)
        self._values: dict[str, Any] | None = None

    def __getitem__(self, key: str) -> Any:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> dict[str, Any]:
        if self._values is None:
            self._values = orjson.loads(self.text)
        return self._values


def plain(value: Any) -> Any:
    """What orjson does not know: ids are of the driver's class, not the standard library's own."""
    if type(value) is JsonText:
        return orjson.Fragment(value.text)
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
