"""Refusals as mutations answer them."""

from enum import Enum

import pytest

from loyalty.errors import Code, Refused
from loyalty_graphql.compose import ComposedSchema, sdl
from loyalty_graphql.enums import exposed
from loyalty_graphql.failures import MEANINGS, UserError, user_error
from loyalty_graphql.scalars import Json


def test_every_code_has_a_meaning_and_is_marked() -> None:
    assert set(MEANINGS) == set(Code)


def test_the_schema_says_which_codes_are_retryable(schema: ComposedSchema) -> None:
    values = schema.core.type_map["ErrorCode"].values  # type: ignore[attr-defined]
    ends = {name: value.description.rpartition(". ")[2] for name, value in values.items()}
    advice = {True: "Retryable, with the same key.", False: "Not retryable."}
    assert ends == {code.name: advice[code.retryable] for code in Code}
    assert sorted(code for code in Code if code.retryable) == [
        "INTERNAL",
        "OVERLOADED",
        "TENANT_SUSPENDED",
        "UNAVAILABLE",
    ]
    assert "enum ErrorCode" in sdl(schema)


@pytest.mark.parametrize("code", list(Code))
def test_a_refusal_becomes_a_user_error(code: Code) -> None:
    refused = Refused(code, "no", field="lines.0.amount", details={"allowed": 3})
    assert user_error(refused) == UserError(
        code=code,
        field="lines.0.amount",
        message="no",
        details=Json({"allowed": 3}),
        retryable=code.retryable,
    )
    assert user_error(Refused(code, "no")).details is None


def test_an_enum_without_all_its_meanings_is_refused() -> None:
    class Half(Enum):
        A = 1
        B = 2

    with pytest.raises(ValueError, match=r"without a description: \['B'\]"):
        exposed(Half, description="Half.", values={Half.A: "One."})
