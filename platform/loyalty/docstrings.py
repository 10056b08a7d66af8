"""Docstrings of classes and of their attributes, read from the source when somebody asks.

What a class, a field or a key of a config is for is written once, beneath it, and published as the
descriptions of the schema and of JSON Schemas. Python keeps no docstring of an attribute.
"""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache


def of_class(kind: type) -> str | None:
    """The docstring that somebody wrote for a class, nearest base first; not a dataclass's own."""
    return _nearest(kind, "")


def of_attribute(kind: type, name: str) -> str | None:
    """The string beneath an attribute of a class or of one of its bases."""
    return _nearest(kind, name)


def _nearest(kind: type, name: str) -> str | None:
    for cls in kind.__mro__[:-1]:
        doc = _of_module(cls.__module__).get(cls.__qualname__, {}).get(name)
        if doc:
            return doc
    return None


@cache
def _of_module(module: str) -> Mapping[str, Mapping[str, str]]:
    """Docstrings of the classes of a module by qualified name; "" is the class's own."""
    try:
        source = inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return {}
    return dict(_of_classes(ast.parse(source).body, ""))


def _of_classes(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, dict[str, str]]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield prefix + node.name, dict(_in_class(node))
            yield from _of_classes(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _of_classes(node.body, f"{prefix}{node.name}.<locals>.")


def _in_class(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    if doc := ast.get_docstring(node):
        yield "", doc
    for named, text in zip(node.body, node.body[1:], strict=False):
        if not (isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)):
            continue
        if isinstance(text.value.value, str) and (name := _assigned(named)):
            yield name, inspect.cleandoc(text.value.value)


def _assigned(node: ast.stmt) -> str | None:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None
