"""A GraphQL request that is refused before it runs: nothing of it was executed."""

from collections.abc import Sequence

from loyalty_graphql.complaints import Complaint


class Unacceptable(Exception):
    """A request error by the GraphQL specification: errors and no data."""

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        super().__init__(complaints[0]["message"])
        self.complaints = list(complaints)
