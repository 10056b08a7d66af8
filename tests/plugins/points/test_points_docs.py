"""The guide and the README: every example is a config, and gives what stands under it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import loyalty_points
from loyalty.facts import PurchaseRecorded
from loyalty.purchase import Line
from loyalty.units import currency_places, parse_minor
from loyalty.view import View
from loyalty_earning.rules.earning import earn
from loyalty_points.config import PointsConfig

README = Path(loyalty_points.__file__).with_name("README.md")
GUIDE = Path(__file__).parents[3] / "docs" / "programs" / "points.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RESULT = re.compile(r"([A-Z]{3}) (.+) => (\d+) points")


def examples(page: Path) -> Iterator[Any]:
    """Each config of a page with the results that stand under it."""
    blocks = BLOCK.findall(page.read_text())
    for at, (language, text) in enumerate(blocks):
        if language in ("yaml", "json"):
            below = blocks[at + 1] if at + 1 < len(blocks) else ("", "")
            results = below[1].splitlines() if below[0] == "text" else []
            yield pytest.param(text, results, id=f"{page.name}-{at}")


def basket(currency: str, text: str) -> list[Line]:
    places = currency_places(currency) or 0
    lines = []
    for at, part in enumerate(text.split(" + ")):
        amount, _, category = part.partition(" ")
        minor = parse_minor(amount, places, field="amount")
        lines.append(Line(id=str(at), amount=minor, category=category or None))
    return lines


@pytest.mark.parametrize(("text", "results"), [*examples(GUIDE), *examples(README)])
def test_every_example_gives_what_the_page_says(
    purchase: Callable[..., PurchaseRecorded],
    view: Callable[..., View],
    text: str,
    results: list[str],
) -> None:
    config = PointsConfig.model_validate(yaml.safe_load(text))
    for result in results:
        match = RESULT.fullmatch(result)
        assert match, result
        lines = basket(match[1], match[2])
        grants = earn(config, purchase(*lines, currency=match[1]), view())
        assert sum(grant.granted for grant in grants) == int(match[3]), result


def test_the_pages_have_their_examples() -> None:
    shown = [example.values[1] for example in (*examples(GUIDE), *examples(README))]
    assert len(shown) == 20
    assert sum(len(results) for results in shown) == 20


def test_the_worked_example_shares_as_the_readme_says(
    purchase: Callable[..., PurchaseRecorded], view: Callable[..., View]
) -> None:
    ((text, results),) = [example.values for example in examples(README)]
    match = RESULT.fullmatch(results[0])
    assert match
    config = PointsConfig.model_validate(yaml.safe_load(text))
    (grant,) = earn(config, purchase(*basket("USD", match[2])), view())
    assert list((grant.lines or {}).values()) == [199, 16, 10]
    assert "199, 16 and 10" in README.read_text()
