"""The chart's reference, written from the comments in its values: `make chart-reference`.

A line `# -- …` in `values.yaml` describes the key beneath it. Those lines become the tables of the
chart's README and the descriptions in its schema; its alerts are those of the guide. `--check` only
says whether all of them are.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[2] / "helm" / "loyalty"
MARK = "\n## Values\n"
_DESCRIPTION = re.compile(r"^ *# -- (?P<text>.+)$")
_KEY = re.compile(r"^(?P<indent> *)(?P<name>\w+):")
Place = tuple[str, ...]


def descriptions(text: str) -> dict[Place, str]:
    """What `values.yaml` says of each key, by the names that lead there."""
    found: dict[Place, str] = {}
    said, above = "", list[str]()
    for line in text.splitlines():
        if match := _DESCRIPTION.match(line):
            said = match["text"]
        elif match := _KEY.match(line):
            above = [*above[: len(match["indent"]) // 2], match["name"]]
            if said:
                found[tuple(above)] = said
            said = ""
    return found


def keys(values: Mapping[str, Any], described: Mapping[Place, str]) -> Iterator[tuple[Place, Any]]:
    """Every key with its default, in order; what is described as a whole is not entered."""
    for name, value in values.items():
        if (name,) in described or not (isinstance(value, Mapping) and value):
            yield (name,), value
        else:
            beneath = {at[1:]: said for at, said in described.items() if at[0] == name and at[1:]}
            yield from (((name, *place), one) for place, one in keys(value, beneath))


def readme(text: str, values: Mapping[str, Any], described: Mapping[Place, str]) -> str:
    """The page with its tables anew: one for each section of the values."""
    head = text.split(MARK, 1)[0]
    lines = [head + MARK, "<!-- Written by `make chart-reference` from values.yaml. -->"]
    section = None
    for place, default in keys(values, described):
        if section != (section := place[0] if len(place) > 1 else ""):
            title = f"\n### {section}\n" if section else ""
            lines += [title, "| key | default | meaning |", "|---|---|---|"]
        shown = json.dumps(default, ensure_ascii=False)
        meaning = described.get(place, "").replace("|", "\\|")
        lines.append(f"| `{'.'.join(place)}` | `{shown}` | {meaning} |")
    return "\n".join(lines) + "\n"


def schema(given: Any, described: Mapping[Place, str]) -> Any:
    """The schema with the descriptions of its properties."""
    for place, said in described.items():
        at = given
        for name in place:
            at = at["properties"][name]
        at["description"] = said
    return given


def written() -> dict[Path, str]:
    """The files as they should be."""
    text = (CHART / "values.yaml").read_text("utf-8")
    values, described = yaml.safe_load(text), descriptions(text)
    page, form = CHART / "README.md", CHART / "values.schema.json"
    full = schema(json.loads(form.read_text("utf-8")), described)
    alerts = CHART.parents[1] / "docs" / "observing" / "alerts.yaml"
    return {
        CHART / "alerts.yaml": alerts.read_text("utf-8"),
        page: readme(page.read_text("utf-8"), values, described),
        form: json.dumps(full, indent=2, ensure_ascii=False) + "\n",
    }


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


def main() -> int:
    others = [path for path, text in written().items() if not _is(path, text)]
    if sys.argv[1:] != ["--check"]:
        for path, text in written().items():
            path.write_text(text, "utf-8")
        return 0
    for path in others:
        sys.stderr.write(f"{path.name} is not as it should be. Run `make chart-reference`.\n")
    return 1 if others else 0


if __name__ == "__main__":
    sys.exit(main())
