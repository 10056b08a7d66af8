"""One `loyalty up` for each data folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loyalty_app.problem import Problem


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Hold the data folder. The system lets go of it even when the process is killed.

    :raises Problem: another process holds it
    """
    with (data_dir / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Problem(
                f"The platform is running in {data_dir} already (process {file.read().strip()})",
                "Stop it first with Ctrl-C or `kill`, or set LOYALTY_DATA_DIR to another folder",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
