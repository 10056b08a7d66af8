"""Every question in the README and the guide is asked over HTTP, and answered as it says there.

A page is one story on one tenant, told from its top. `"<now>"` is the present instant; for the
other placeholders see `names`.
"""

import re
import shlex
from pathlib import Path
from typing import Any

import orjson
import pytest

from .names import Names
from .page import PAGES, Step, name_of, steps
from .stage import Stage

STORIES = [page for page in PAGES if steps(page)]


@pytest.mark.parametrize("page", STORIES, ids=name_of)
async def test_every_answer_is_as_the_page_says(page: Path, stage: Stage) -> None:
    names = Names(now=stage.now())
    for step in steps(page):
        if step.block.text.startswith("subscription"):
            credential = stage.credential(step.block.title)
            await stage.subscribe(credential, step.block.text, names.given(step.variables))
            continue
        real = await ask(stage, step, names)
        assert list(names.differences(step.answer, real, "answer")) == [], shown(step, real)
        if step.message is not None:
            real = await stage.message()
            assert list(names.differences(step.message, real, "message")) == [], shown(step, real)


async def ask(stage: Stage, step: Step, names: Names) -> Any:
    if step.block.language == "bash":
        return await stage.post(body_of(step.block.text), stage.demo.api_key)
    credential = stage.credential(step.block.title)
    return await stage.ask(credential, step.block.text, names.given(step.variables))


def body_of(curl: str) -> Any:
    """What a curl command would send."""
    words = shlex.split(curl.replace("\\\n", " "))
    headers = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    assert words[0] == "curl", curl
    assert "http://127.0.0.1:8000/graphql" in words, curl
    assert "content-type: application/json" in headers, curl
    assert any(re.fullmatch(r"authorization: Bearer \S+", header) for header in headers), curl
    return orjson.loads(words[words.index("-d") + 1])


def shown(step: Step, real: Any) -> str:
    return f"{step.block.text}\n{orjson.dumps(real, option=orjson.OPT_INDENT_2).decode()}"


def test_the_pages_tell_stories() -> None:
    guide = (
        "backtest", "conditions", "daily-work", "explaining", "graphql", "privacy",
        "programs/cashback", "programs/files", "programs/subscriptions", "tutorial", "webhooks",
    )  # fmt: skip
    pages = ["README.md", *(f"docs/{page}.md" for page in guide)]
    assert sorted(name_of(page) for page in STORIES) == pages


@pytest.mark.parametrize(
    ("answer", "real", "differs"),
    [
        ({"a": "1"}, {"a": "1"}, []),
        ({"a": "…"}, {"a": 2}, []),
        ({"a": "1"}, {"a": "2"}, ["it.a: '1' is '2'"]),
        ({"a": "1"}, {"a": "1", "b": "2"}, ["it: {'a': '1'} is {'a': '1', 'b': '2'}"]),
        (["<id>", "<id>"], ["x", "x"], []),
        (["<id>", "<id>"], ["x", "y"], ["it.1: <id> is 'x' and 'y'"]),
        (["<id>"], [None], ["it.0: '<id>' is None"]),
        ([], ["x"], ["it: [] is ['x']"]),
        (None, {}, ["it: None is {}"]),
    ],
)
def test_an_answer_that_differs_is_seen(answer: Any, real: Any, differs: list[str]) -> None:
    assert list(Names().differences(answer, real, "it")) == differs
