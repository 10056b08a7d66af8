"""What a page's placeholders stand for, and where an answer differs from what it shows."""

import re
from collections.abc import Iterator
from typing import Any

ANY = "…"
_NAMED = re.compile(r"<[a-z ]+>")


class Names:
    """`"…"` stands for any value; `"<name>"` for the text it first stood for in this story."""

    def __init__(self, **known: str) -> None:
        self._known = {f"<{name}>": value for name, value in known.items()}

    def given(self, value: Any) -> Any:
        """The value with what its names stand for."""
        match value:
            case str():
                return self._known[value] if _NAMED.fullmatch(value) else value
            case dict():
                return {name: self.given(kept) for name, kept in value.items()}
            case list():
                return [self.given(kept) for kept in value]
        return value

    def differences(self, shown: Any, real: Any, path: str) -> Iterator[str]:
        """Each place where the real answer is not the shown one; names new to us are learnt."""
        match shown, real:
            case str(), _ if shown == ANY:
                return
            case str(), str() if _NAMED.fullmatch(shown):
                if self._known.setdefault(shown, real) != real:
                    yield f"{path}: {shown} is {self._known[shown]!r} and {real!r}"
            case dict(), dict() if list(shown) == list(real):
                for name in shown:
                    yield from self.differences(shown[name], real[name], f"{path}.{name}")
            case list(), list() if len(shown) == len(real):
                for at, (one, other) in enumerate(zip(shown, real, strict=True)):
                    yield from self.differences(one, other, f"{path}.{at}")
            case _ if shown != real:
                yield f"{path}: {shown!r} is {real!r}"
