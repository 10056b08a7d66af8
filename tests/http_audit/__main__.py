"""Runs the audits of `graphql-http` (npm) against an API process of its own: `make http-audit`."""

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.faults.stand import stand

HERE = Path(__file__).parent


async def audited() -> int:
    """The exit code of the audit."""
    async with stand() as platform:
        brand = await platform.brand(members=1)
        api = platform.api()
        api.start()
        await api.serves()
        try:
            command = ["node", str(HERE / "audit.mjs"), f"{api.url}/graphql", brand.api_key]
            return (await asyncio.to_thread(subprocess.run, command, check=False)).returncode
        finally:
            await api.stop()


if __name__ == "__main__":
    sys.exit(asyncio.run(audited()))
