"""Not furnished yet."""

from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.core import Asset, Fact, Gap, GapReason


def read_bz2(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields one Gap."""
    del budget
    yield Gap(asset.uri, GapReason.UNSUPPORTED, "this format is recognised and not read yet")


def read_gzip(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields one Gap."""
    del budget
    yield Gap(asset.uri, GapReason.UNSUPPORTED, "this format is recognised and not read yet")


def read_lz4(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields one Gap."""
    del budget
    yield Gap(asset.uri, GapReason.UNSUPPORTED, "this format is recognised and not read yet")


def read_xz(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields one Gap."""
    del budget
    yield Gap(asset.uri, GapReason.UNSUPPORTED, "this format is recognised and not read yet")


def read_zlib(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields one Gap."""
    del budget
    yield Gap(asset.uri, GapReason.UNSUPPORTED, "this format is recognised and not read yet")


def read_zstd(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Yields one Gap."""
    del budget
    yield Gap(asset.uri, GapReason.UNSUPPORTED, "this format is recognised and not read yet")
