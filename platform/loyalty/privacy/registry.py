"""Everything of this installation that may be about a member, put together from all floors."""

from collections.abc import Mapping, Sequence

from loyalty.personal import PersonalRows, personal_paths
from loyalty.plugin_set import PluginSet
from loyalty.privacy.kernel_rows import KERNEL_ROWS


class Registry:
    """Rows of tables, and what is personal in each kind of fact.

    `further` are the tables of the floors between the kernel and the plugins.

    :raises ValueError: two of them declare one table
    """

    def __init__(self, plugins: PluginSet, further: Sequence[PersonalRows] = ()) -> None:
        of_plugins = [rows for plugin in plugins.plugins for rows in plugin.personal]
        self.rows: Sequence[PersonalRows] = (*KERNEL_ROWS, *further, *of_plugins)
        names = [rows.table for rows in self.rows]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"what {twice} hold about a member is declared twice")
        self.paths: Mapping[str, Sequence[str]] = {
            kind: paths
            for kind, fact in plugins.codec.types.items()
            if (paths := personal_paths(fact))
        }
