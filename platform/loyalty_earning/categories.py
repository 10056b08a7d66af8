"""Category paths: `grocery/coffee` is inside `grocery`, and so is nothing named `groceryware`."""

from collections.abc import Container
from typing import Any


def nearest(path: str | None, known: Container[Any]) -> str | None:
    """The longest of the `known` paths that `path` is or lies under; None where there is none."""
    while path:
        if path in known:
            return path
        path = path.rpartition("/")[0]
    return None
