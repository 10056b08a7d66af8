"""The GraphQL documents that are written in the documentation, the tests and the benchmarks."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    parse,
    validate,
)

REPO = Path(__file__).parent.parent
EXAMPLE = re.compile(r"```graphql\n(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Written:
    """One operation of a document."""

    text: str
    document: DocumentNode
    name: str | None


def written(schema: GraphQLSchema) -> list[Written]:
    """Queries and mutations that this schema takes, introspection left out."""
    found = []
    for text in sorted({*_of_pages(), *_of_code()}):
        try:
            document = parse(text)
        except GraphQLError:
            continue
        if "__schema" in text or "__type(" in text or validate(schema, document):
            continue
        for each in document.definitions:
            if not isinstance(each, OperationDefinitionNode):
                continue
            if each.operation is not OperationType.SUBSCRIPTION:
                found.append(Written(text, document, each.name.value if each.name else None))
    return found


def _of_pages() -> Iterator[str]:
    for page in (REPO / "README.md", *sorted((REPO / "docs").rglob("*.md"))):
        yield from EXAMPLE.findall(page.read_text("utf-8"))


def _of_code() -> Iterator[str]:
    for folder in ("tests", "benchmarks"):
        for file in sorted((REPO / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                text = node.value if isinstance(node, ast.Constant) else None
                if isinstance(text, str) and "{" in text:
                    yield text
