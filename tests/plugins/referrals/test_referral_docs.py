"""The page on referrals: its configs hold, and its story is told over HTTP as it stands there."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from loyalty.days import iso
from loyalty_referrals.config import ReferralsConfig
from loyalty_referrals.guards import Guards
from tests.docs.names import Names
from tests.docs.page import ROOT, blocks, steps, table

PAGE: Path = ROOT / "docs" / "programs" / "referrals.md"
CONFIGS = [yaml.safe_load(block.text) for block in blocks(PAGE, "yaml")]


@pytest.mark.parametrize("config", CONFIGS)
def test_its_configs_hold(config: Any) -> None:
    ReferralsConfig.model_validate(config)


def test_it_names_every_guard_with_its_default() -> None:
    _, *rows = table(PAGE, "Guards")
    assert [row[0].strip("`") for row in rows] == [*Guards.model_fields]
    told = {row[0].strip("`"): row[2].strip("`") for row in rows[:-2]}
    assert told == {name: getattr(Guards(), name).value for name in told}


async def test_its_story_comes_out_as_it_is_told(circle: Any) -> None:
    story = await circle(**CONFIGS[0])
    await story.enrolls("ada")
    names, told = Names(now=str(iso(story.brand.clock.now()))), steps(PAGE)
    assert len(told) >= 6
    for step in told:
        await story.works()
        client = story.brand.admin if step.block.title else story.brand.service
        answer = (await client.post(step.block.text, names.given(step.variables))).json()
        assert list(names.differences(step.answer, answer, "answer")) == [], answer
