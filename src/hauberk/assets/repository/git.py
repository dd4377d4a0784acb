"""The git side of a model directory: hooks, configuration and attributes that run programs on an ordinary git command."""

import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.quoting import quote
from hauberk.assets.text.textual import decoded
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Fact

_HOOK = re.compile(r"(?:^|/)(?:\.git/(?:modules/[^/]+/)*hooks|\.githooks|\.husky)/([^/]+)$")
_HOOK_NAMES = re.compile(
    r"(?:applypatch-msg|pre-applypatch|post-applypatch|pre-commit|pre-merge-commit|prepare-commit-msg|commit-msg|post-commit|"
    r"pre-rebase|post-checkout|post-merge|pre-push|pre-receive|update|proc-receive|post-receive|post-update|reference-transaction|"
    r"push-to-checkout|pre-auto-gc|post-rewrite|sendemail-validate|fsmonitor-watchman|p4-\w+|post-index-change)"
)
_LFS = re.compile(rb"^\s*(?:command -v git-lfs\b.*|git lfs (?:post-checkout|post-commit|post-merge|pre-push) \"\$@\"|#.*|\s*)$")
_SECTION = re.compile(r'^\s*\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]')
_SETTING = re.compile(r"^\s*([\w-]+)\s*=\s*(.*?)\s*$")
# section.key whose value git runs as a program
_RUNS = re.compile(
    r"core\.(?:fsmonitor|sshcommand|pager|editor|hookspath|gitproxy|askpass|alternaterefscommand)|filter\..*\.(?:clean|smudge|process)|"
    r"diff\..*\.(?:command|textconv)|diff\.external|merge\..*\.driver|alias\..*|credential\..*helper|gpg\..*program|gpg\.program|"
    r"pager\..*|sequence\.editor|remote\..*\.(?:uploadpack|receivepack|vcs)|submodule\..*\.update|uploadpack\.packobjectshook|"
    r"protocol\.ext\.allow|include(?:if)?\..*path|include\.path|interactive\.difffilter|mergetool\..*\.cmd|difftool\..*\.cmd"
)


def git_files(asset: Asset, tree: Tree, budget: Budget) -> Iterator[Fact]:
    """What git would run."""
    del asset
    for name, content in tree.files.items():
        budget.tick()
        hook = _HOOK.search(name)
        if hook and _HOOK_NAMES.fullmatch(hook[1]):
            head = content.read(0, 4096)
            if not all(_LFS.match(line) for line in head.splitlines()):
                yield _fact("repository.git-hook", f"git runs {quote(name, 80)} by itself", name, hook[1])
        elif name.endswith((".git/config", ".gitconfig", ".gitmodules", ".git/config.worktree")):
            yield from _settings(name, decoded(content.read(0, 1 << 20)))
        elif name.rpartition("/")[2] == ".gitattributes" or name.endswith(".git/info/attributes"):
            yield from _attributes(name, decoded(content.read(0, 1 << 20)))


def _fact(check: str, note: str, name: str, piece: str) -> Fact:
    return Fact(check, note, where=name, quote=quote(piece), attrs={"path": name})


def _settings(name: str, text: str) -> Iterator[Fact]:
    section = ""
    for line in text.splitlines():
        header = _SECTION.match(line)
        if header:
            section = f"{header[1]}.{header[2]}." if header[2] is not None else f"{header[1]}."
            line = line[header.end() :]  # noqa: PLW2901 - a setting may follow on the same line
        setting = _SETTING.match(line)
        if not setting:
            continue
        key = (section + setting[1]).lower()
        value = setting[2].strip('"')
        if _RUNS.fullmatch(key) and not _ordinary(key, value):
            yield _fact("repository.git-config", f"git runs the value of {quote(key, 60)}", name, f"{key} = {value}")
        elif key.endswith(".url") and value.lower().startswith(("ext::", "-")):
            yield _fact("repository.git-config", "an address that git runs as a program", name, f"{key} = {value}")


def _ordinary(key: str, value: str) -> bool:
    if key.startswith("filter.lfs."):
        return value.startswith("git-lfs ") and not re.search(r"[;&|`$<>]", value)
    if key.startswith(("alias.", "submodule.", "credential.")):
        return not value.startswith("!")
    return value.lower() in {"", "true", "false", "store", "cache", "manager", "osxkeychain", "less", "cat", "vim", "vi", "nano"}


def _attributes(name: str, text: str) -> Iterator[Fact]:
    for found in re.finditer(r"(?m)^\s*[^#\s]\S*\s[^\n]*?\bfilter=([\w.-]+)", text[: 1 << 20]):
        if found[1] != "lfs":
            yield _fact("repository.git-filter", f"files pass through the filter {quote(found[1], 40)}", name, found[1])
            return
