"""JSON files that only their owner may read."""

import json
import os
from pathlib import Path
from typing import Any

from loyalty_app.problem import Problem


def read(path: Path) -> dict[str, Any]:
    """The object in the file, or an empty one where there is no file yet.

    :raises Problem: something else is in the file: it is never taken for an empty one, for whoever
        does so writes over what may still be mended
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise damaged(path)
    return found


def damaged(path: Path) -> Problem:
    return Problem(
        f"{path.resolve()} is damaged: it holds no JSON object of ours",
        "Put it back from a backup. Where nothing in that folder is needed any more, "
        "`loyalty reset` forgets it all, points and purchases too",
    )


def write(path: Path, content: dict[str, Any]) -> None:
    """Write whole or not at all: a crash leaves the old file."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())  # or a power cut may leave the new name and nothing in it
    new.replace(path)
