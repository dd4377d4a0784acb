"""What a user may name: paths, `-` for stdin, http(s) URLs, an installed environment."""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress

import msgspec

from hauberk.core import Gap, GapReason
from hauberk.scan.options import ScanOptions
from hauberk.scan.spool import TargetError, copy_bounded
from hauberk.scan.walk import Walker

STDIN = "stdin"


def is_url(target: str) -> bool:
    """Whether `target` is fetched rather than opened."""
    return target.startswith(("http://", "https://"))


class Targets(msgspec.Struct, frozen=True):
    """What to look at: paths, URLs and `-` as named, and the package folders of installed environments."""

    named: tuple[str, ...]
    environments: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Everything, as the run records it."""
        return (*self.named, *self.environments)


# Of an installed package, source and native libraries are what pip and the interpreter vouch for; models and start-up
# hooks are what a scan of an environment is after. What is left out is counted and reported as a gap.
_PACKAGE_FILE = re.compile(
    r"(?!(?:site|user)customize\.py$).*\.(?:py[ciodxw]?|pxd|so|so\.[\d.]+|dll|dylib|exe|lib|a|h|hpp|cuh?|c|cc|cpp|f90|js|mjs|ts|css|map|sh|bat|ps1)",
    re.IGNORECASE,
)


def is_package_file(name: str) -> bool:
    """Whether a scan of an environment leaves the file called `name` out."""
    return _PACKAGE_FILE.fullmatch(name) is not None


@contextmanager
def opened(targets: Targets, options: ScanOptions) -> Generator[Walker]:
    """Everything `targets` name, walked. Spools of stdin and URLs live as long as the context.

    Raises TargetError when a named path does not exist or a URL cannot be fetched.
    """
    walker = Walker(options.exclude)
    spool = ""
    try:
        for target in targets.named:
            if target == "-" or is_url(target):
                spool = spool or tempfile.mkdtemp(prefix="hauberk-")
                _spooled(target, spool, walker, options)
            elif not os.path.lexists(target):
                raise TargetError(f"{target}: no such file or directory; check the path")
            else:
                walker.add(target)
        for folder in targets.environments:
            _add_environment(folder, walker, options)
        yield walker
    finally:
        if spool:
            shutil.rmtree(spool, ignore_errors=True)


def _add_environment(folder: str, walker: Walker, options: ScanOptions) -> None:
    inside = Walker(options.exclude, leave=is_package_file)
    inside.add(folder)
    walker.entries += inside.entries
    walker.units += [unit for unit in inside.units if unit.path != folder]  # the folder itself is no model repository
    walker.gaps += inside.gaps
    if inside.excluded:
        note = (
            f"{inside.excluded} source and native files of installed packages were left out; name the folder itself to include them"
        )
        walker.gaps.append(Gap(folder, GapReason.NOT_REQUESTED, note, kind="environment", root=folder))


def _spooled(target: str, spool: str, walker: Walker, options: ScanOptions) -> None:
    folder = tempfile.mkdtemp(dir=spool)
    if target == "-":
        path = os.path.join(folder, STDIN)
        with open(path, "wb") as file:
            cut = copy_bounded(sys.stdin.buffer, file, options.url_limit)
        uri = STDIN
    else:
        from hauberk.scan.fetch import download  # http and ssl cost 60 ms that a local scan need not pay

        path, cut = download(target, folder, options.url_limit)
        uri = target
    walker.add(path, uri)
    if cut:
        note = f"only its first {options.url_limit} bytes were taken (--url-limit)"
        walker.gaps.append(Gap(uri, GapReason.TOO_LARGE, note, kind="file", root=uri))


def environment_paths(python: str) -> list[str]:
    """The site-packages folders of an environment: a prefix, a site-packages folder, or "" for the running one.

    Raises TargetError when there is none.
    """
    if not python:
        import sysconfig

        return sorted({sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]})
    found: list[str] = []
    if os.path.basename(python.rstrip("/")) in {"site-packages", "dist-packages"}:
        found.append(python)
    for lib in ("lib", "lib64", "Lib"):
        with suppress(OSError):
            for name in sorted(os.listdir(os.path.join(python, lib))):
                for leaf in ("site-packages", "dist-packages"):
                    path = os.path.join(python, lib, name, leaf)
                    if os.path.isdir(path) and os.path.realpath(path) not in map(os.path.realpath, found):
                        found.append(path)
        windows = os.path.join(python, lib, "site-packages")
        if os.path.isdir(windows):
            found.append(windows)
    if not found:
        raise TargetError(f"{python}: no Python environment there; name its prefix (the folder that holds lib/) or site-packages")
    return found
