"""JSON that is written out at once is what it was written out of, wherever it goes."""

from typing import Any

import orjson

from loyalty.database import Database
from loyalty.ids import new_id
from loyalty.json_text import JsonText

VALUES: dict[str, Any] = {"lines": [{"id": "1", "amount": 5}], "name": 'Zoë \\ "x"', "none": None}


def test_it_reads_as_its_values() -> None:
    text = JsonText(VALUES)

    assert text == VALUES
    assert {**text, "more": 1} == {**VALUES, "more": 1}
    assert (dict(text), len(text), text["lines"][0]["amount"]) == (VALUES, 3, 5)


def test_it_keeps_what_it_was_when_it_was_written_out() -> None:
    values = {"a": [1]}
    text = JsonText(values)
    values["a"].append(2)

    assert dict(text) == {"a": [1]}


async def test_postgres_takes_it_like_its_values(database: Database) -> None:
    ident = new_id()
    text = JsonText({**VALUES, "member": ident})
    told = {**VALUES, "member": str(ident)}

    assert orjson.loads(text.text) == told
    assert await database.unscoped("select $1::jsonb", text) == told
    assert await database.unscoped("select $1::jsonb", [text, {"in": text}, None]) == [
        told, {"in": told}, None,
    ]  # fmt: skip
    assert (
        await database.unscoped("select ($1::loyalty.settled_in).reason", (ident, "X", text))
        == told
    )
