"""Who runs the embedded servers, and where they keep their files.

PostgreSQL refuses to run as root. Started by root (a container, mostly), the servers run as
`nobody`, who must be able to reach their files. No mode of a folder that was there before is
changed for that: where a folder on the way is closed to others, the files go to a place that is
open.
"""

import os
import pwd
import stat
from pathlib import Path
from secrets import token_hex

from loyalty_app.problem import Problem

ACCOUNT = "nobody"
SHELTER = Path("/var/lib/loyalty")


def account() -> pwd.struct_passwd | None:
    """Whom to become before a server is started; None: stay who we are."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        raise Problem(
            f"PostgreSQL does not run as root, and this system has no user `{ACCOUNT}`",
            "Start the platform as an ordinary user, or set LOYALTY_DATABASE_URL and "
            "LOYALTY_REDIS_URL",
        ) from None


def barrier(path: Path) -> Path | None:
    """The topmost folder on the way to `path` (or `path` itself) that others may not enter."""
    path = path.resolve()
    for step in (*reversed(path.parents), path):
        if not step.stat().st_mode & stat.S_IXOTH:
            return step
    return None


def home(data_dir: Path) -> Path:
    """The folder of the embedded servers: `<data_dir>/servers`, or a link to where it could be.

    :raises Problem: it is somewhere the servers cannot reach
    """
    wanted = data_dir.resolve() / "servers"
    if not wanted.exists():
        wanted.unlink(missing_ok=True)  # a link whose target is gone
        if account() is not None and barrier(wanted.parent) is not None:
            wanted.symlink_to(_shelter(), target_is_directory=True)
        else:
            _fresh(wanted)
    closed = barrier(wanted) if account() is not None else None
    if closed is not None:
        raise Problem(
            f"The embedded servers cannot reach their data: {closed} is closed to other users",
            f"Open it with `chmod o+x {closed}`, start the platform as an ordinary user, or set "
            "LOYALTY_DATA_DIR to a folder elsewhere",
        )
    return wanted.resolve()


def _shelter() -> Path:
    # A name of its own every time: data of a folder that was deleted has no password any more.
    _fresh(SHELTER)
    place = SHELTER / token_hex(8)
    _fresh(place)
    return place


def _fresh(folder: Path) -> None:
    """Make a folder that root's servers can pass through, whatever the umask is."""
    if not folder.exists():
        folder.mkdir()
        folder.chmod(0o700 if account() is None else 0o711)


def own(folder: Path) -> None:
    """Make a folder that belongs to the servers alone."""
    folder.mkdir(mode=0o700)
    if (who := account()) is not None:
        os.chown(folder, who.pw_uid, who.pw_gid)
