"""In which shape a process logs."""

from enum import StrEnum


class LogFormat(StrEnum):
    JSON = "json"
    TEXT = "text"
