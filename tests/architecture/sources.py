"""Python sources as the checks read them, and where in the repository they are."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

REPO = Path(__file__).parents[2]
ROOTS = ("platform", "tenants", "graphql_schema", "plugins")


@dataclass(frozen=True)
class Source:
    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    def at(self, node: ast.expr | ast.stmt, what: str) -> str:
        return f"{self.path}:{node.lineno}: {what}"


def tracked() -> list[str]:
    """Every file of the repository; what git does not know is nobody's yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True, check=True
    )
    return [path for path in listed.stdout.split("\0") if path and (REPO / path).is_file()]


@cache
def texts() -> tuple[Source, ...]:
    """All files that people wrote: no assets of others, no locks."""
    return tuple(_read())


def _read() -> Iterator[Source]:
    for path in tracked():
        if "/static/" in path or path.startswith("requirements/") or path == "LICENSE":
            continue
        try:
            yield Source(path, (REPO / path).read_text("utf-8"))
        except UnicodeDecodeError:
            continue  # a picture


def sources(*roots: str) -> Iterator[Source]:
    """The Python files under these folders."""
    for source in texts():
        if source.path.endswith(".py") and source.path.startswith(tuple(f"{r}/" for r in roots)):
            yield source
