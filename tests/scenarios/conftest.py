"""Scenarios speak to the same real server over HTTP as the tests of the API."""

from tests.graphql.conftest import (
    anonymous,
    brand,
    http,
    make_brand,
    make_server,
    operator,
    rows,
    server,
)

__all__ = ["anonymous", "brand", "http", "make_brand", "make_server", "operator", "rows", "server"]
