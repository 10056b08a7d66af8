"""A program as a file, and as the platform has it."""

from collections.abc import Awaitable, Callable
from typing import Any

from typer.testing import Result

from tests.graphql.admin.documents import PROGRAM

Run = Callable[..., Awaitable[Result]]
ONE = f"query($slug: String!) {{ program(slug: $slug) {{ {PROGRAM} }} }}"
FILE = """\
# Corner Coffee, kept in git.
slug: corner
kind: points
name: Corner points  # what members read

units:
  - {code: beans, name: Beans, places: 0}

config:
  unit: beans
  rules:
    # Everybody earns this.
    - id: spend
      label: 1 per dollar  # on every receipt
      accounting_class: MATERIAL_RIGHT
      points: "1"
      per: {USD: "1.00"}
    # Only the big ones.
    - id: big
      label: >-
        Extra for
        big orders
      accounting_class: MARKETING
      points: "0.5"
      per: {USD: "1.00"}
      minimum_purchase: {USD: "100.00"}
  terms:
    pending_days: 14  # the return window
"""


async def of(brand: Any, slug: str = "corner") -> Any:
    return (await brand.admin.run(ONE, slug=slug))["program"]
