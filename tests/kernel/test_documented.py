"""Keys of a config are described by what stands beneath them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.alias_generators import to_camel

from loyalty.documented import Documented


class _Inner(Documented):
    """A part."""

    size: int
    """How large."""
    parts: "tuple[_Inner, ...]" = ()
    """A part."""


class _Section(Documented):
    model_config = ConfigDict(alias_generator=to_camel, defer_build=True)

    same: _Inner = _Inner(size=1)
    """A part."""
    other_part: _Inner | None = None
    """Another part,
    perhaps."""
    said: Annotated[int, Field(description="By its field.")] = 0
    """Not by this."""
    silent: int = 0


class _Longer(_Section):
    silent: int = 1
    """No more."""


class _Native(BaseModel):
    """As pydantic does it by itself."""

    model_config = ConfigDict(alias_generator=to_camel, use_attribute_docstrings=True)

    same: _Inner = _Inner(size=1)
    """A part."""
    other_part: _Inner | None = None
    """Another part,
    perhaps."""
    said: Annotated[int, Field(description="By its field.")] = 0
    """Not by this."""
    silent: int = 0


def test_the_schema_is_what_pydantic_makes_of_attribute_docstrings() -> None:
    ours, native = _Section.model_json_schema(), _Native.model_json_schema()
    assert ours["properties"] == native["properties"]
    assert ours["$defs"] == native["$defs"]
    assert list(ours["properties"]["otherPart"]) == list(native["properties"]["otherPart"])


def test_keys_are_described_once() -> None:
    shown = _Section.model_json_schema()["properties"]
    assert _said(shown) == {"otherPart": "Another part,\nperhaps.", "said": "By its field."}
    by_name = _Longer.model_json_schema(by_alias=False)["properties"]
    assert _said(by_name) == {
        "other_part": "Another part,\nperhaps.", "said": "By its field.", "silent": "No more."
    }  # fmt: skip


def test_a_model_without_source_is_described_by_nothing() -> None:
    made = create_model("Made", __base__=Documented, size=(int, 0))
    assert _said(made.model_json_schema()["properties"]) == {}


def _said(properties: dict[str, Any]) -> dict[str, str]:
    return {
        name: shown["description"] for name, shown in properties.items() if "description" in shown
    }
