"""Where in an answer something is: kept as plain tuples, made a `Path` only where one is shown."""

from typing import Any

from graphql.pyutils import Path

# (what it is in, key or index, name of the type it is a field of) as in `Path`; None at the root
Place = Any


def path_of(place: Place) -> Path | None:
    if place is None or place.__class__ is Path:
        return place
    before, key, name = place
    return Path(path_of(before), key, name)
