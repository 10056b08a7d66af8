"""Secrets in files: `LOYALTY_REDIS_URL_FILE` names the file that holds `LOYALTY_REDIS_URL`.

A file shows in no list of processes and in no dump of an environment, and an orchestrator can mount
it for the one process that needs it.
"""

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from loyalty_app.problem import Problem

LENGTH_MAX = 16_384


def secret_settings(settings: type[BaseSettings]) -> tuple[str, ...]:
    """The names of the settings that are never shown."""
    return tuple(name for name, field in settings.model_fields.items() if not field.repr)


def variable_of_file(name: str) -> str:
    return f"LOYALTY_{name.upper()}_FILE"


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the files that the environment names; a setting has one source, never two."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False  # of the interface; everything is read at once

    def __call__(self) -> dict[str, Any]:
        """:raises Problem: a file cannot be read, or its setting is given directly as well"""
        named = {
            name: file
            for name in secret_settings(self.settings_cls)
            if (file := os.environ.get(variable_of_file(name)))
        }
        return {name: _read(Path(file), name) for name, file in named.items()}


def _read(path: Path, name: str) -> str:
    variable, setting = variable_of_file(name), f"LOYALTY_{name.upper()}"
    if os.environ.get(setting):
        raise Problem(f"{setting} and {variable} are both set", "Unset one of them")
    try:
        with path.open(encoding="utf-8") as file:
            found = file.read(LENGTH_MAX).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Problem(
            f"{variable}: {path} cannot be read ({reason})",
            "Name a file that this process may read and that holds the setting's value alone",
        ) from None
    if not found.strip() or "\n" in found:
        raise Problem(
            f"{variable}: {path} holds {'several lines' if found.strip() else 'nothing'}",
            "Put the setting's value alone into it, on one line",
        )
    return found
