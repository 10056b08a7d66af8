"""The refusal of a request that is too large: which limit, how far, and what to do."""

from graphql import GraphQLError

from loyalty.errors import Code


class LimitExceeded(GraphQLError):
    """Names the limit in `extensions.limit`; the number allowed is part of the message."""

    def __init__(self, limit: str, message: str) -> None:
        super().__init__(message, extensions={"code": Code.LIMIT_EXCEEDED.value, "limit": limit})
        self.limit = limit

    def under(self, name: str) -> "LimitExceeded":
        """The same, said of what lies under `name`."""
        return LimitExceeded(self.limit, f"{name}: {self.message}")
