"""How the config writes what only partnerships name."""

from typing import Annotated

from pydantic import Field

UnitCode = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,31}$")]
"""Code of one of the tenant's units."""
