"""What one request may ask for at most, decided on the expanded document before anything runs."""

from loyalty_graphql.limits.exceeded import LimitExceeded
from loyalty_graphql.limits.numbers import Limits
from loyalty_graphql.limits.shape import Shape, Shaper
from loyalty_graphql.limits.variables import VariableSizes

__all__ = ["LimitExceeded", "Limits", "Shape", "Shaper", "VariableSizes"]
