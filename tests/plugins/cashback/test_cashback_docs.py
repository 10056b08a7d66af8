"""The guide and the README: every example is a config, and gives what stands under it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import loyalty_cashback
from loyalty.purchase import Line
from loyalty_cashback.plugin import plugin
from tests.plugins.points.till import Till, minor

README = Path(loyalty_cashback.__file__).with_name("README.md")
GUIDE = Path(__file__).parents[3] / "docs" / "programs" / "cashback.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RESULT = re.compile(r"([A-Z]{3}) (.+) => (\d+\.\d\d)")


def examples(page: Path) -> Iterator[Any]:
    """Each config of a page with the results that stand under it."""
    blocks = BLOCK.findall(page.read_text())
    for at, (language, text) in enumerate(blocks):
        if language == "yaml":
            below = blocks[at + 1] if at + 1 < len(blocks) else ("", "")
            results = below[1].splitlines() if below[0] == "text" else []
            yield pytest.param(text, results, id=f"{page.name}-{at}")


def line(at: int, text: str) -> Line:
    amount, _, category = text.partition(" ")
    return Line(id=str(at), amount=minor(amount), category=category or None)


@pytest.mark.parametrize(("text", "results"), [*examples(GUIDE), *examples(README)])
def test_every_example_gives_what_the_page_says(text: str, results: list[str]) -> None:
    assert results
    for result in results:
        match = RESULT.fullmatch(result)
        assert match, result
        till = Till(yaml.safe_load(text), places={"USD": 2, "EUR": 2}, plugin=plugin)
        till.buys(*map(line, range(9), match[2].split(" + ")), currency=match[1])
        units = {"USD": "USD", "EUR": "EUR"}
        assert till.balance(units.get(match[1], "USD")) == match[3], result


def test_the_pages_have_their_examples() -> None:
    shown = [example.values[1] for example in (*examples(GUIDE), *examples(README))]
    assert (len(shown), sum(len(results) for results in shown)) == (6, 10)
