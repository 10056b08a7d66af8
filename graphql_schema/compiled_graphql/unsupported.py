"""What is left to graphql-core's own executor, and why."""

from enum import StrEnum


class Reason(StrEnum):
    """Why an operation ran on the stock executor."""

    OFF = "off"  # the compiled path is switched off
    FIRST_SIGHT = "first_sight"  # compiled when it comes again
    NOT_KEPT = "not_kept"  # sent by somebody for whom nothing is compiled
    SUBSCRIPTION = "subscription"
    INTROSPECTION = "introspection"
    DIRECTIVE = "directive"  # another one than @skip and @include
    CONDITIONS = "conditions"  # too many variables decide on fields, or one is no Boolean
    LARGE = "large"  # more fields than are compiled
    EXTENSION = "extension"  # the schema has extensions that want to see each field
    FAILED = "failed"  # the compiler itself did: a mistake in it, which is logged
    OPERATION = "operation"  # not clear which operation is meant


class Unsupported(Exception):
    """This operation is not compiled: known before anything of it runs."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
