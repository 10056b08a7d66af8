"""Models whose JSON Schema says of each key what stands beneath it in the source.

pydantic's own `use_attribute_docstrings` reads the source of every model when its class is made,
which was a fifth of the start of a process that never shows any of it.
"""

from typing import Any

from pydantic import BaseModel, GetJsonSchemaHandler

from loyalty import docstrings


class Documented(BaseModel):
    """Keys are described when the JSON Schema is asked for; what a `Field` says comes first."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: Any, handler: GetJsonSchemaHandler, /
    ) -> dict[str, Any]:
        found = handler(core_schema)
        properties = handler.resolve_ref_schema(found).get("properties", {})
        for name, field in cls.model_fields.items():
            shown = properties.get(field.alias) or properties.get(name)
            text = docstrings.of_attribute(cls, name)
            if shown is not None and text and text != _said(shown, handler):
                shown.setdefault("description", text)
        return found


def _said(shown: dict[str, Any], handler: GetJsonSchemaHandler) -> str | None:
    """What the section that a key refers to says of itself: it is not said twice."""
    try:
        said: str | None = handler.resolve_ref_schema(shown).get("description")
    except LookupError:  # it refers to the section that it stands in, which is not finished
        return None
    return said
