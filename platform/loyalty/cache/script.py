"""Scripts that Redis runs, called by their digest: the text goes over once."""

from collections.abc import Sequence
from hashlib import sha1
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError


class Script:
    def __init__(self, text: str) -> None:
        self._text = text
        self._digest = sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def run(
        self, redis: Redis, keys: Sequence[str], values: Sequence[str | bytes | int]
    ) -> Any:
        try:
            return await redis.evalsha(self._digest, len(keys), *keys, *values)
        except NoScriptError:  # A restarted or flushed server has forgotten it.
            return await redis.eval(self._text, len(keys), *keys, *values)
