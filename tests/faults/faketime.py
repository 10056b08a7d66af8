"""libfaketime, where this machine has it: a process loads it and has another time than the rest."""

from pathlib import Path

FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)


def jumped(by: str) -> dict[str, str]:
    """The environment of a process whose clock is off by so much: "-1h", "+400d"."""
    return {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME": by,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # waits last as long as ever
    }
