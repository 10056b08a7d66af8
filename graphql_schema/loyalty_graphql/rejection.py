"""A request that is refused before GraphQL is looked at."""

from collections.abc import Mapping

from loyalty_graphql.complaints import Complaint, complaint
from loyalty_graphql.edge_code import EdgeCode


class Rejected(Exception):
    """Answered with this status and one error, whatever media type was asked for."""

    def __init__(
        self,
        status: int,
        code: EdgeCode,
        message: str,
        headers: Mapping[str, str] | None = None,
        *,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.retry_after = retry_after
        if retry_after is not None:
            self.headers["retry-after"] = str(retry_after)

    @property
    def complaint(self) -> Complaint:
        """The error as the client sees it; in seconds, when to try again."""
        further = {} if self.retry_after is None else {"retryAfter": self.retry_after}
        return complaint(self.code.value, self.message, **further)


def bad_request(message: str) -> Rejected:
    return Rejected(400, EdgeCode.BAD_REQUEST, message)
