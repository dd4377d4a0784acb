"""An OCI image layout: the index, its manifests, and whether each blob is what its name says."""

import hashlib
import json
import posixpath
import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.configs.config_values import Mapping, listing, mapping
from hauberk.assets.content import chunks
from hauberk.assets.quoting import quote
from hauberk.assets.repository.json import load_mapping
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Fact, Gap, GapReason

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
MAX_MANIFEST = 4 << 20
MAX_DESCRIPTORS = 10_000
HASHED = 256 << 20  # blobs up to this size are hashed here; a larger one is hashed by the scan's own pass


def image_layout(asset: Asset, tree: Tree, budget: Budget) -> Iterator[Fact | Gap]:
    """Every image layout of the directory."""
    for name in tree.files:
        if posixpath.basename(name) == "oci-layout":
            yield from _layout(asset, tree, posixpath.dirname(name), budget)


def _layout(asset: Asset, tree: Tree, folder: str, budget: Budget) -> Iterator[Fact | Gap]:
    index = load_mapping(tree, posixpath.join(folder, "index.json"), budget)
    if index is None:
        yield Gap(asset.uri, GapReason.ABSENT, "an OCI layout without an index that parses")
        return
    waiting = _descriptors(index)
    seen: set[str] = set()
    while waiting and len(seen) < MAX_DESCRIPTORS:
        descriptor = waiting.pop()
        digest = descriptor.get("digest")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            note = f"a digest that is none: {quote(str(digest), 80)}"
            yield Fact("oci.digest-odd", note, quote=quote(str(digest)))
            continue
        if digest in seen:
            continue
        seen.add(digest)
        name = posixpath.join(folder, "blobs", "sha256", digest[7:])
        content = tree.files.get(name)
        if content is None:
            yield Gap(asset.uri, GapReason.ABSENT, f"the blob {digest[:19]}… is not here")
            continue
        yield from _blob(tree, name, digest, descriptor, budget)
        if "manifest" in str(descriptor.get("mediaType")) or "index" in str(descriptor.get("mediaType")):
            try:
                inner = mapping(json.loads(content.read(0, MAX_MANIFEST)))
            except (ValueError, RecursionError):
                inner = None
            waiting.extend(_descriptors(inner or {}))
    yield from _unnamed(tree, folder, seen)


def _descriptors(manifest: Mapping) -> list[Mapping]:
    rows = [*(listing(manifest.get("manifests")) or []), *(listing(manifest.get("layers")) or []), manifest.get("config")]
    return [one for row in rows[:MAX_DESCRIPTORS] if (one := mapping(row)) is not None]


def _blob(tree: Tree, name: str, digest: str, descriptor: Mapping, budget: Budget) -> Iterator[Fact]:
    content = tree.files[name]
    size = descriptor.get("size")
    if type(size) is int and size != content.size:
        note = f"the manifest says {size} bytes, the blob has {content.size}"
        yield Fact("oci.size-differs", note, where=name, quote=quote(digest), attrs={"path": name})
    if content.size > HASHED:
        return
    hashed = hashlib.sha256()
    for chunk in chunks(content):
        budget.check_time()
        hashed.update(chunk)
    if hashed.hexdigest() != digest[7:]:
        note = f"the blob's SHA-256 is {hashed.hexdigest()[:12]}…, not {digest[7:19]}…"
        yield Fact("oci.digest-differs", note, where=name, quote=quote(digest), attrs={"path": name})


def _unnamed(tree: Tree, folder: str, seen: set[str]) -> Iterator[Fact]:
    prefix = posixpath.join(folder, "blobs", "sha256", "")
    extra = [name for name in tree.files if name.startswith(prefix) and f"sha256:{name[len(prefix) :]}" not in seen]
    for name in extra[:20]:
        yield Fact("oci.blob-unnamed", "a blob that no manifest names", where=name, quote=quote(name), attrs={"path": name})
