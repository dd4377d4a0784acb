"""What a reader is, and how one is called."""

from collections.abc import Callable, Iterator
from importlib import import_module

from hauberk.assets.budget import Budget
from hauberk.assets.formats import FORMATS
from hauberk.core import Asset, Fact, Gap

# A reader yields, in file order: Fact, what it saw; Asset, a member for the driver to inspect at once (its content may
# die when the reader goes on); Gap, what it did not look at. It raises only ReadError.
Reader = Callable[[Asset, Budget], Iterator[Fact | Asset | Gap]]

_loaded: dict[str, Reader] = {}


def reader_of(name: str) -> Reader:
    """The reader of the format called `name`. Imported on first use: a scan pays only for formats it meets."""
    reader = _loaded.get(name)
    if reader is None:
        module, _, function = FORMATS[name].reader.partition(":")
        reader = getattr(import_module(module), function or "read")
        _loaded[name] = reader
    return reader
