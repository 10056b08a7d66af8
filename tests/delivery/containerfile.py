"""The Containerfile as a list of instructions, and its steps carried out in a folder."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.architecture.sources import REPO, tracked

TEXT = (REPO / "Containerfile").read_text("utf-8")
STEP_SECONDS = 300
# Folders that the image has and this machine keeps for itself: they are moved beneath a folder.
MOVED = re.compile(r"(?<![\w/.])/(opt|src|tmp)(?=[/ \"':]|$)")


@dataclass(frozen=True, slots=True)
class Instruction:
    """A line: its word, and what comes after it."""

    word: str
    rest: str


@dataclass(slots=True)
class Stage:
    """What stands beneath one FROM."""

    start: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        return [one.rest for one in self.instructions if one.word == word]

    def environment(self) -> dict[str, str]:
        pairs = (pair for text in self.all("ENV") for pair in shlex.split(text))
        return dict(pair.split("=", 1) for pair in pairs)


def instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            yield Instruction(word, " ".join(rest.split()))


def stages(text: str = TEXT) -> list[Stage]:
    found: list[Stage] = []
    for one in instructions(text):
        if one.word == "FROM":
            start, _, name = one.rest.partition(" AS ")
            found.append(Stage(start, name))
        elif found:
            found[-1].instructions.append(one)
    return found


@dataclass(frozen=True, slots=True)
class Folder:
    """Where an image would be; both stages share it, for paths are the same in both."""

    root: Path

    def moved(self, text: str) -> str:
        return MOVED.sub(lambda match: f"{self.root}/{match[1]}", text)

    def carry_out(self, stage: Stage) -> None:
        """Do what a stage says, step by step.

        :raises AssertionError: a step fails, or is of a kind that is not known here
        """
        at = self.root
        environment = self._environment()
        for one in stage.instructions:
            match one.word:
                case "WORKDIR":
                    at = Path(self.moved(one.rest))
                    at.mkdir(parents=True, exist_ok=True)
                case "COPY":
                    *sources, target = one.rest.split()
                    _copy(sources, at / target)
                case "RUN":
                    _run(self.moved(one.rest), at, environment)
                case _:
                    raise AssertionError(f"nobody knows how to carry out {one.word}")

    def _environment(self) -> dict[str, str]:
        """That of this machine, with the Python that the image would have."""
        programs = self.root / "programs"
        programs.mkdir()
        base = getattr(sys, "_base_executable", sys.executable)
        (programs / "python").symlink_to(base)
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("LOYALTY_", "VIRTUAL_"))}
        return {**kept, "PATH": f"{programs}:{kept['PATH']}"}


def _copy(sources: list[str], target: Path) -> None:
    """What git knows of these files and folders, as a builder would get it."""
    for source in sources:
        folder = source.endswith("/")
        given = [path for path in tracked() if path == source or (folder and _in(path, source))]
        assert given, f"nothing to copy: {source}"
        for path in given:
            to = target / (path.removeprefix(source) if folder else path)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPO / path, to)


def _in(path: str, folder: str) -> bool:
    return path.startswith(folder)


def _run(command: str, at: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        ["/bin/sh", "-ec", command], cwd=at, env=environment, capture_output=True, text=True,
        timeout=STEP_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def words(stage: Stage, word: str) -> list[str]:
    """The words of an instruction in JSON, such as ENTRYPOINT."""
    [text] = stage.all(word)
    found: list[str] = json.loads(text)
    return found
