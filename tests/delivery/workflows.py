"""What must hold of the workflows; findings are told as `file, job: what`."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from tests.architecture.sources import REPO

FOLDER = REPO / ".github" / "workflows"
PINNED = re.compile(r"^[\w-]+/[\w./-]+@(v\d+|[0-9a-f]{40})$")
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
PLAIN = {"apt-get", "git"}
Workflow = Mapping[Any, Any]


def targets() -> set[str]:
    return set(TARGET.findall((REPO / "Makefile").read_text("utf-8")))


def commands(workflow: Workflow) -> Iterator[tuple[str, list[str]]]:
    """The words of every command by the name of its job."""
    for name, job in workflow["jobs"].items():
        for step in job["steps"]:
            for line in step.get("run", "").splitlines():
                for command in line.split("&&"):
                    words = shlex.split(command)
                    while words and "=" in words[0]:
                        words.pop(0)
                    yield name, words


def made(workflow: Workflow) -> set[str]:
    """The targets that a workflow makes."""
    return {words[1] for _, words in commands(workflow) if words[0] == "make"}


def faults(file: str, workflow: Workflow) -> Iterator[str]:
    if workflow.get("permissions") != {"contents": "read"}:
        yield f"{file}: may do more than read"
    for name, job in workflow["jobs"].items():
        if "timeout-minutes" not in job:
            yield f"{file}, {name}: may run for hours"
        for step in job["steps"]:
            yield from (f"{file}, {name}: {what}" for what in _of_step(step))
    for name, words in commands(workflow):
        if words[0] == "make" and words[1] not in targets():
            yield f"{file}, {name}: there is no target {words[1]}"
        if words[0] not in {"make", *PLAIN}:
            yield f"{file}, {name}: {words[0]} is no target of the Makefile"


def _of_step(step: Mapping[str, Any]) -> Iterator[str]:
    action = step.get("uses", "")
    if action and not PINNED.match(action):
        yield f"{action} is not pinned"
    kept = step.get("with", {}).get("persist-credentials") is not False
    if action.startswith("actions/checkout") and kept:
        yield "leaves its credentials where every step can read them"
    if "${{" in step.get("run", ""):
        yield "what somebody else wrote may become a command"
