"""What is shown besides questions: configs hold, code is verbatim, commands and paths exist."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main
import yaml
from pydantic import BaseModel

from loyalty.conditions import ACTIVITY, PURCHASE, STANDING, ConditionFault, compiled, drafts
from loyalty_app.cli import app
from loyalty_app.installed import installed
from loyalty_cashback.config import CashbackConfig
from loyalty_partners.config import PartnersConfig
from loyalty_stamps.config import StampsConfig
from loyalty_subscriptions.config import SubscriptionsConfig
from loyalty_tiers.config import TiersConfig

from . import tables
from .page import DECISIONS, PAGES, ROOT, Block, blocks, name_of

CONFIGS: dict[str, type[BaseModel]] = {
    "plugins.md": StampsConfig,
    "partners.md": PartnersConfig,
    "cashback.md": CashbackConfig,
    "subscriptions.md": SubscriptionsConfig,
    "tiers.md": TiersConfig,
}
KINDS = {plugin.name: plugin.config for plugin in installed()}
QUOTED = [b for page in PAGES for b in blocks(page, "python", "sql") if b.title]
PATH = re.compile(r"`((?:platform|tenants|graphql_schema|plugins|tests|docs|decisions)/[^`\s<>]*)`")
LINK = re.compile(r"\]\(([^)#\s]+)\)")
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)


CHART = ROOT / "docs" / "deploying.md"  # its values are rendered by tests/helm
CONFIGURED = [b for page in PAGES if page != CHART for b in blocks(page, "yaml")]


@pytest.mark.parametrize("block", CONFIGURED, ids=lambda block: block.page.name)
def test_every_config_is_valid(block: Block) -> None:
    given = yaml.safe_load(block.text)
    config = CONFIGS.get(block.page.name) or KINDS[given.get("kind", "points")]
    config.model_validate(given.get("config", given))  # of a program file its config


@pytest.mark.parametrize("block", QUOTED, ids=lambda block: block.title)
def test_code_that_names_its_file_is_in_it_word_for_word(block: Block) -> None:
    assert block.text in (ROOT / block.title).read_text("utf-8")


def test_code_is_quoted_from_the_example_plugin() -> None:
    assert len(QUOTED) >= 8


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_is_shown_exists(page: Path) -> None:
    for line in commands(page):
        assert known(shlex.split(line)), f"{line!r} is not a command"


def commands(page: Path) -> list[str]:
    shown = "".join(block.text.replace("\\\n", " ") for block in blocks(page, "bash"))
    return [line for line in shown.splitlines() if line and not line.startswith("#")]


def known(words: list[str]) -> bool:
    """Whether it is a target of the Makefile, a command of ours with its options, or plain."""
    match words:
        case ["make", target, *_]:
            return target in TARGET.findall((ROOT / "Makefile").read_text())
        case ["loyalty" | ".venv/bin/loyalty", *rest]:
            return _ours(rest)
        case [program, *_]:
            return program in ("cd", "curl", "git")
    return False


def _ours(words: list[str]) -> bool:
    command = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command = getattr(command, "commands")[words.pop(0)]  # noqa: B009
    options = {name for given in command.params for name in given.opts}
    asked = {word for word in words if word.startswith("--")}
    return not hasattr(command, "commands") and asked <= options


@pytest.mark.parametrize(
    ("line", "exists"),
    [
        ("make run", True),
        ("make coffee", False),
        ("loyalty migrate --check", True),
        ("loyalty migrate --quickly", False),
        ("loyalty tenant", False),
        ("loyalty key create acme --client till", True),
        ("rm -rf .", False),
    ],
)
def test_a_command_that_is_not_there_is_seen(line: str, exists: bool) -> None:
    assert known(shlex.split(line)) is exists


@pytest.mark.parametrize("page", [*PAGES, *DECISIONS], ids=name_of)
def test_every_path_that_is_named_is_there(page: Path) -> None:
    named = PATH.findall(page.read_text("utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", [*PAGES, *DECISIONS], ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_pages_are_found() -> None:
    assert {"README.md", "docs/tutorial.md"} <= {name_of(page) for page in PAGES}
    assert DECISIONS
    assert list(tables.setting_names())


SUBJECTS = {"On a purchase": PURCHASE, "On an activity": ACTIVITY, "On a member": STANDING}
CONDITIONS = [
    (block.title, source)
    for page in PAGES
    for block in blocks(page, "cel")
    for source in block.text.strip().split("\n\n")
]


@pytest.mark.parametrize(("title", "source"), CONDITIONS)
def test_every_condition_compiles(title: str, source: str) -> None:
    with drafts():
        assert compiled(source, SUBJECTS[title], currency="EUR").reads


def test_the_fault_that_is_shown_is_what_is_told() -> None:
    (shown,) = blocks(ROOT / "docs" / "conditions.md", "text")
    with pytest.raises(ConditionFault) as caught, drafts():
        compiled(shown.text.split("\n")[1], PURCHASE, currency="EUR")
    assert f"{caught.value}\n" == shown.text


def test_conditions_are_found() -> None:
    assert len(CONDITIONS) >= 8
