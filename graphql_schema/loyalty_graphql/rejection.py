"""A request that is refused before GraphQL is looked at."""

from collections.abc import Mapping

from loyalty_graphql.edge_code import EdgeCode


class Rejected(Exception):
    """Answered with this status and one error, whatever media type was asked for."""

    def __init__(
        self,
        status: int,
        code: EdgeCode,
        message: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def bad_request(message: str) -> Rejected:
    return Rejected(400, EdgeCode.BAD_REQUEST, message)
