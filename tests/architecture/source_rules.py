"""Rules about sources that no linter knows; each answers with findings `path:line: what`."""

import ast
import re
from collections.abc import Iterator

from .sources import Source

FILE_LINES, FUNCTION_LINES = 300, 50
EMPTY_NAMES = re.compile(r"(^|[_/])(utils?|helpers?|base|managers?|common|misc)(_|\.py$|/|$)")
EMPTY_CLASSES = re.compile(r"(Manager|Helper|Utils?)$")

WALL_CLOCK = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
    ("time", "time"), ("time", "time_ns"), ("time", "localtime"), ("time", "gmtime"),
}  # fmt: skip
MODEL_QUERIES = {
    "all", "annotate", "bulk_create", "bulk_update", "create", "exclude", "exists", "filter",
    "first", "get", "get_or_create", "get_or_none", "in_bulk", "raw", "update_or_create",
}  # fmt: skip
BOUND = {"using_db"}

# Put together, so that this file does not find itself.
WORDS = re.compile(
    "|".join(
        [
            r"\bas an " + r"ai\b",
            r"\blanguage " + r"model\b",
            r"\b(chat" + r"gpt|clau" + r"de|anthro" + r"pic|open" + r"ai|copi" + r"lot)\b",
            r"(?<![\w.])/(work|root|mnt|Users)" + r"/\w",
            r"(?<![\w.])/home/(?!nonroot|loyalty)" + r"\w",
            r"\b(files\.python" + r"hosted\.org|pypi\." + r"org|registry\.npm" + r"js\.org)\b",
            r"--(extra-)?index" + r"-url\s+http",
            r"\b(TO" + r"DO|FIX" + r"ME|NotImplemented" + r"Error)\b",
            r"pytest\.mark\.(sk" + r"ip|xf" + r"ail)|pytest\.(sk" + r"ip|xf" + r"ail)\(",
        ]
    ),
    re.IGNORECASE,
)


def too_long(source: Source) -> Iterator[str]:
    lines = source.text.count("\n")
    if lines > FILE_LINES:
        yield f"{source.path}:1: {lines} lines"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield source.at(node, f"{node.name} has {lines} lines")


def empty_names(source: Source) -> Iterator[str]:
    if EMPTY_NAMES.search(source.path):
        yield f"{source.path}:1: a name that says nothing"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and EMPTY_CLASSES.search(node.name):
            yield source.at(node, f"{node.name} is a name that says nothing")


def wall_clock(source: Source) -> Iterator[str]:
    """Asking what time it is: `datetime.now()` and its like, under whatever name."""
    names = _imported(source)
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Attribute | ast.Name):
            continue
        dotted = _dotted(node, names)
        if dotted is not None and tuple(dotted.split(".")[-2:]) in WALL_CLOCK:
            yield source.at(node, f"asks {dotted} for the time")


def chance(source: Source) -> Iterator[str]:
    for node, module in _imports(source):
        if module.split(".")[0] in ("random", "secrets"):
            yield source.at(node, f"imports {module}")


def queries_without_connection(source: Source) -> Iterator[str]:
    """Tortoise queries that do not say over which connection: those would leave the tenant."""
    models = _model_names(source)
    for function in ast.walk(source.tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        asked = [n for n in ast.walk(function) if _is_query(n, models)]
        said = sum(_says_connection(node) for node in ast.walk(function))
        if len(asked) > said:
            yield source.at(function, f"{function.name} has a query without using_db")


def own_transactions(source: Source) -> Iterator[str]:
    """Tortoise's `in_transaction` and `atomic` lose connections when a task is cancelled."""
    for node in ast.walk(source.tree):
        name = getattr(node, "attr", None) or getattr(node, "id", None)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tortoise"):
            if {alias.name for alias in node.names} & {"in_transaction", "atomic"}:
                yield source.at(node, "takes a transaction of Tortoise's own")
        elif isinstance(node, ast.Attribute | ast.Name) and name == "in_transaction":
            yield source.at(node, "takes a transaction of Tortoise's own")


def tenants_at_once(source: Source) -> Iterator[str]:
    """`Database.tenants()`: a connection of no tenant."""
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "tenants"
            and not node.args
        ):
            yield source.at(node, "takes a connection of no tenant")


def past_the_lane(source: Source) -> Iterator[str]:
    """`recorder.record_many`: as many transactions of one tenant as there are callers."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr == "record_many":
            name = getattr(node.value, "attr", None) or getattr(node.value, "id", None)
            if name in ("recorder", "_recorder"):
                yield source.at(node, "records past the tenant's lane")


def setting_a_tenant(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and "app.tenant" in str(node.value):
            yield source.at(node, "sets or reads the tenant of a transaction itself")


def words(source: Source) -> Iterator[str]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if found := WORDS.search(line):
            yield f"{source.path}:{number}: {found.group()!r}"


def names_a_program(source: Source, kinds: set[str]) -> Iterator[str]:
    """A kernel that knows a kind of program by name is no kernel."""
    for statement, module in _imports(source):
        if module.split(".")[0].removeprefix("loyalty_") in kinds:
            yield source.at(statement, f"imports {module}")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and node.value in kinds:
            yield source.at(node, f"names {node.value!r}")


def _imports(source: Source) -> Iterator[tuple[ast.stmt, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node, node.module


def _imported(source: Source) -> dict[str, str]:
    """Local names and what they stand for: `from time import time as t` gives t: time.time."""
    names: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return names


def _dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value, names)
        return None if inner is None else f"{inner}.{node.attr}"
    return None


def _model_names(source: Source) -> set[str]:
    """Names under which modules of models, or models of them, are known here."""
    return {
        name
        for name, what in _imported(source).items()
        if "models" in what.split(".") and not what.startswith("tortoise")
    }


def _is_query(node: ast.AST, models: set[str]) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    target = node.func.value
    while isinstance(target, ast.Attribute):
        target = target.value
    named = isinstance(target, ast.Name) and target.id in models
    return named and node.func.attr in MODEL_QUERIES


def _says_connection(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    method = isinstance(node.func, ast.Attribute) and node.func.attr in BOUND
    return method or any(keyword.arg in BOUND for keyword in node.keywords)
