"""Trusted documents: operations that an app was built with, known by an id before anybody asks.

A manifest is one JSON object from id to document, as code generators of GraphQL clients write it
(`persisted-documents.json`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from compiled_graphql import Engine, Reason
from loyalty_graphql.documents import Document, Documents
from loyalty_graphql.edge_code import EdgeCode
from loyalty_graphql.rejection import Rejected
from loyalty_graphql.unacceptable import Unacceptable

MANIFEST_MAX = 16 * 2**20


def read_manifest(path: Path) -> Mapping[str, str]:
    """The documents of a file, by id.

    :raises ValueError: it is no manifest, or larger than 16 MB
    :raises OSError: it cannot be read
    """
    raw = path.read_bytes()
    if len(raw) > MANIFEST_MAX:
        raise ValueError(f"a manifest has at most {MANIFEST_MAX // 2**20} MB")
    found = orjson.loads(raw)
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        raise ValueError("a manifest is one JSON object from id to document")
    return found


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    text: str
    document: Document


class TrustedDocuments:
    """Those of one process: limited, validated and compiled once, and never given up."""

    def __init__(self, manifest: Mapping[str, str], documents: Documents, engine: Engine) -> None:
        """Get them ready.

        :raises ValueError: the API refuses one of them; it says which and why
        """
        self._known = {name: _accepted(name, text, documents) for name, text in manifest.items()}
        self.stock: dict[str, Reason] = {}
        for name, each in self._known.items():
            for reason in engine.trust(each.text, each.document.node).values():
                self.stock[name] = reason

    def find(self, name: str) -> TrustedDocument:
        """The document of an id.

        :raises Rejected: 400, there is none
        """
        if (found := self._known.get(name)) is None:
            message = "no document has this documentId: send query instead"
            raise Rejected(400, EdgeCode.DOCUMENT_UNKNOWN, message)
        return found


def _accepted(name: str, text: str, documents: Documents) -> TrustedDocument:
    try:
        return TrustedDocument(text, documents.made(text))
    except Unacceptable as no:
        raise ValueError(f"the trusted document {name} is refused: {no}") from None
