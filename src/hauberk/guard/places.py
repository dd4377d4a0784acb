"""Where the guard keeps its files when the settings name no place."""

import os
from pathlib import Path


def state_folder() -> Path:
    """`$XDG_STATE_HOME/hauberk/guard`, else below `~/.local/state`."""
    home = os.environ.get("XDG_STATE_HOME", "")
    return (Path(home) if os.path.isabs(home) else Path.home() / ".local" / "state") / "hauberk" / "guard"
