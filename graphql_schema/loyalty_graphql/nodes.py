"""The Relay node interface."""

import strawberry

from loyalty_graphql.access import reached


@strawberry.interface
@reached
class Node:
    """Something that can be read again by its id."""

    id: strawberry.ID
    """Opaque and globally unique."""
