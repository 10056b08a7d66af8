"""An API process with little memory on a busy machine: it sheds load before anything is wrong."""

import asyncio
import os
import resource
import subprocess
import sys

import psutil
import pytest

from tests.faults import report
from tests.faults.brand import Brand
from tests.faults.conftest import Loading
from tests.faults.stand import Stand
from tests.faults.verdict import judge

SPARE_BYTES = 64 * 1024 * 1024
SECONDS = 20.0
RATE = 150.0
BACK_SECONDS = 10.0


@pytest.mark.soak
async def test_memory_and_processor_are_short(
    platform: Stand, brand: Brand, put_load: Loading
) -> None:
    [api] = await platform.apis(1)
    busy = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        room = psutil.Process(api.pid).memory_info().vms + SPARE_BYTES
        resource.prlimit(api.pid, resource.RLIMIT_AS, (room, resource.RLIM_INFINITY))
        async with put_load(brand, [api], rate=RATE, timeout=30.0) as load:
            begun = load.now
            await asyncio.sleep(SECONDS)
            counted = load.journal.counts(since=begun)
            for one in busy:
                one.kill()
            if not api.runs:  # its supervisor would
                api.start()
                await api.serves()
            back = await load.healthy()
            verdict = await judge(platform.settings, load)
    finally:
        for one in busy:
            one.kill()
            one.wait()
        await api.stop()
    report.within(BACK_SECONDS, back, "back once there is a processor")
    report.note(
        report.Row(
            place=112,
            what="memory and processor are short",
            tried=(
                f"{SPARE_BYTES >> 20} MB more than it has, every core busy, {RATE:g} calls/s for "
                f"{SECONDS:g} s"
            ),
            held="nothing is lost or doubled; what cannot be served is told so",
            measured=f"answers {counted}; back after {back:.1f} s; {verdict}",
        )
    )
