"""Schemas to compile for."""

import pytest

from loyalty_app.installed import shipped
from loyalty_graphql.compose import ComposedSchema, compose
from loyalty_graphql.core import CORE
from tests.compiled.fakes import furnish


@pytest.fixture(scope="session")
def whole_schema() -> ComposedSchema:
    """The schema as it ships, every resolver of it made up."""
    schema = compose(CORE, shipped())
    furnish(schema)
    return schema
