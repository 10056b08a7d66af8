"""What does not fit between several parts of a config, told where each of it stands."""

from collections.abc import Sequence

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Fault = tuple[tuple[int | str, ...], str]
"""The path of the key at fault, from the part that is validated on, and what is wrong with it."""


def faulty(faults: Sequence[Fault]) -> ValidationError:
    """All of them, for a validator to raise: pydantic puts its own path before theirs."""
    return ValidationError.from_exception_data(
        "config",
        [
            InitErrorDetails(
                type=PydanticCustomError("config", "{fault}", {"fault": text}), loc=path, input=None
            )
            for path, text in faults
        ],
    )
