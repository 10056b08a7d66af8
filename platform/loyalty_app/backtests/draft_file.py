"""A draft as a file: a program file (slug, kind, config), or just the config."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from loyalty_app.problem import Problem


@dataclass(frozen=True, slots=True)
class DraftFile:
    """`slug` and `kind` are None where the file holds a config alone."""

    config: Mapping[str, Any]
    slug: str | None = None
    kind: str | None = None


def read(path: Path) -> DraftFile:
    """:raises Problem: there is no such file, or it is no YAML mapping"""
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}", "Name a file that is there") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise Problem(f"{path} is no YAML: {error}", "Correct it and try again") from None
    if not isinstance(found, Mapping):
        raise Problem(f"{path} holds no mapping of keys", "Write a program file or a config")
    if isinstance(config := found.get("config"), Mapping):
        return DraftFile(config, found.get("slug"), found.get("kind"))
    return DraftFile(found)
