"""GraphQL operations of a strawberry schema, each compiled once to Python functions."""

from compiled_graphql.compiled import Compiled
from compiled_graphql.engine import Bounds, Engine
from compiled_graphql.gate import Gated
from compiled_graphql.inputs import AS_USUAL
from compiled_graphql.unsupported import Reason

__all__ = ["AS_USUAL", "Bounds", "Compiled", "Engine", "Gated", "Reason"]
