"""What every part of the config has in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LIST_MAX = 1_000  # entries of a category, sku or brand list

Name = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[tuple[Name, ...], Field(max_length=LIST_MAX)]


class Section(BaseModel):
    """A part of the config: immutable, and a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
