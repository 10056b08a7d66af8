"""The pages that are read: their fenced blocks, and the stories that those tell."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).parents[2]
ELSEWHERE = {
    ROOT / "docs" / "programs" / "points.md",
    ROOT / "docs" / "programs" / "referrals.md",
    ROOT / "docs" / "demo.md",
}
PAGES = sorted({ROOT / "README.md", *(ROOT / "docs").rglob("*.md")} - ELSEWHERE)
DECISIONS = sorted((ROOT / "decisions").glob("*.md"))
_BLOCK = re.compile(
    r"^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]*)\")?\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    page: Path
    language: str
    title: str
    text: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.text)


@dataclass(slots=True)
class Step:
    """A document with what stands under it: its variables and its answer."""

    block: Block
    variables: dict[str, Any] = field(default_factory=dict)
    answer: Any = None
    message: Any = None


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, *languages: str) -> list[Block]:
    """The blocks of a page in their order; of the given languages, or all."""
    found = (
        Block(page, match["language"], match["title"] or "", match["text"])
        for match in _BLOCK.finditer(page.read_text("utf-8"))
    )
    return [block for block in found if not languages or block.language in languages]


def steps(page: Path) -> list[Step]:
    """What a page asks, in its order, with the JSON that stands under each question."""
    told: list[Step] = []
    for block in blocks(page, "graphql", "bash", "json"):
        match block.language, block.title:
            case "graphql", _:
                told.append(Step(block))
            case "bash", _ if "/graphql" in block.text:
                told.append(Step(block))
            case "json", "Variables":
                told[-1].variables = block.json
            case "json", "Answer":
                told[-1].answer = block.json
            case "json", "Message":
                told[-1].message = block.json
    return told


def table(page: Path, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    under = page.read_text("utf-8").split(f"# {heading}\n", 1)[1]
    rows: Iterator[str] = (line for line in under.splitlines() if line.strip())
    cells: list[list[str]] = []
    for row in rows:
        if row.startswith("|"):
            cells.append([cell.strip() for cell in row.strip("|").split(" | ")])
        elif cells:
            break
    return cells[2:]
