"""Signs and verifies model directories in the OpenSSF model-signing format, with the library of that name.

Both ways interoperable with its command line. The reference leaves `.git`, `.github`, `.gitattributes` and `.gitignore` out of
every signature. So do ours, or it would not verify them; but the directory also holds a manifest, which is signed and covers
all of these but `.git`, so that here a change in them is named. The manifest traces a change to the tensor, too.
"""

import fnmatch
import os
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from hauberk.scan.manifest import (
    NAME,
    FileEntry,
    Manifest,
    TensorChange,
    is_under,
    measure_file,
    paths_of,
    read_manifest,
    tensor_changes,
    write_manifest,
)
from hauberk.scan.spool import TargetError

SIGNATURE = "model.sig"
IGNORED = (".git", ".gitattributes", ".github", ".gitignore")
UNCOVERED = (".git",)
INSTALL = "signing needs an extra; install it with: pip install 'hauberk[sign]'"
Progress = Callable[[int], None]


class KeyMaterial(msgspec.Struct, frozen=True):
    """Paths of PEM files.

    Signing takes `private_key`, and `certificate` with its `chain` in certificate mode; verifying takes `public_key`, or
    `chain`, the roots that are trusted.
    """

    private_key: str = ""
    password: str = ""
    public_key: str = ""
    certificate: str = ""
    chain: tuple[str, ...] = ()


class Signed(msgspec.Struct, frozen=True):
    """What a signature covers."""

    signature: str
    files: int
    tensors: int
    ignored: tuple[str, ...]


class VerifyResult(msgspec.Struct, frozen=True):
    """What differs from what was signed. `ignored` were never covered; `unchecked` were left out by the caller."""

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    tensors: tuple[TensorChange, ...] = ()
    ignored: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    files: int = 0

    @property
    def intact(self) -> bool:
        """Whether everything that was looked at is as it was signed."""
        return not (self.changed or self.added or self.missing or self.renamed or self.tensors)


def sign_directory(folder: str, keys: KeyMaterial, signature: str = "", progress: Progress | None = None) -> Signed:
    """Writes the manifest and the signature of `folder`. Raises TargetError."""
    signing = _library("signing")
    signature = signature or os.path.join(folder, SIGNATURE)
    left_out = _left_out(folder, signature)
    if not os.path.isdir(folder):
        raise TargetError(f"{folder}: not a directory; name the directory that holds the model")
    outside = (*UNCOVERED, *_signature_inside(folder, signature), NAME)
    entries = [measure_file(folder, path, progress) for path, out in paths_of(folder, outside) if not out]
    write_manifest(Manifest(tuple(entries)), os.path.join(folder, NAME))
    signed = [entry for entry in (*entries, measure_file(folder, NAME)) if not is_under(entry.path, left_out)]
    config = signing.Config().set_hashing_config(_Measured(signed, left_out))
    try:
        if keys.certificate:
            config.use_certificate_signer(
                private_key=keys.private_key, signing_certificate=keys.certificate, certificate_chain=keys.chain
            )
        else:
            config.use_elliptic_key_signer(private_key=keys.private_key, password=keys.password or None)
        config.sign(folder, signature)
    except (OSError, ValueError, TypeError) as error:
        raise TargetError(f"{keys.private_key}: cannot sign with this key: {_first_line(error)}") from error
    ignored = tuple(path for path, out in paths_of(folder, UNCOVERED) if out)
    return Signed(signature, len(entries) + 1, sum(max(0, len(entry.leaves) - 1) for entry in entries), ignored)


def verify_directory(
    folder: str,
    keys: KeyMaterial,
    signature: str = "",
    *,
    base: str = "",
    only: Iterable[str] = (),
    progress: Progress | None = None,
) -> VerifyResult:
    """Holds `folder` against its signature. Raises TargetError when the signature itself is not good.

    `base` is another directory or manifest whose tensors are compared with; `only` are globs of the files to look at.
    """
    signature = signature or os.path.join(folder, SIGNATURE)
    signed, method, ignore = _expected(folder, keys, signature)
    own = _own_manifest(folder, signed)
    signed |= {path: entry.sha256 for path, entry in own.items() if path not in signed and method == "sha256"}
    # What the signature leaves out, our manifest covers, but for .git.
    itself = _signature_inside(folder, signature)
    left_out = (*(UNCOVERED if own else ignore), *itself)
    present: dict[str, FileEntry] = {}
    ignored: list[str] = []
    unchecked: list[str] = []
    globs = tuple(only)
    for path, out in paths_of(folder, left_out):
        if out:
            ignored += [path] if path not in itself else []
        elif globs and not any(fnmatch.fnmatch(path, glob) for glob in globs):
            unchecked.append(path)
        else:
            present[path] = measure_file(folder, path, progress)
    digests = (
        {path: entry.sha256 for path, entry in present.items()}
        if method == "sha256"
        else _rehashed(folder, method, left_out, present)
    )
    difference = _difference(signed, digests, frozenset(unchecked), whole=not globs)
    against = read_manifest(os.path.join(base, NAME) if os.path.isdir(base) else base).by_path if base else own
    tensors = [c for path, entry in present.items() if path in against for c in tensor_changes(against[path], entry)]
    return msgspec.structs.replace(
        difference, tensors=tuple(tensors), ignored=tuple(ignored), unchecked=tuple(unchecked), files=len(present)
    )


class _Measured:
    """Stands in for the library's hashing configuration: hands it digests that were taken in our one read."""

    def __init__(self, entries: Iterable[FileEntry], ignored: tuple[str, ...]) -> None:
        self._entries, self._ignored = entries, ignored

    def hash(self, model_path: object, *, files_to_hash: object = None) -> Any:
        del files_to_hash
        library = _library("manifest")
        from_args: Any = library.SerializationType.from_args
        arguments = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": list(self._ignored)}
        serialization = from_args(arguments)
        digest: Any = library.hashing.Digest
        items = [serialization.new_item(e.path, digest("sha256", bytes.fromhex(e.sha256))) for e in self._entries]
        return library.Manifest(os.path.basename(os.path.abspath(str(model_path))), items, serialization)


class _Expected:
    """Receives what was signed: the library compares the signed manifest with what the hashing configuration returns."""

    def __init__(self) -> None:
        self.manifest: Any = None

    def add_ignored_paths(self, **_: object) -> None:
        """The signed paths to ignore are read from the manifest itself."""

    def hash(self, *_: object, **__: object) -> "_Expected":
        return self

    def __eq__(self, other: object) -> bool:
        self.manifest = other
        return True

    def __hash__(self) -> int:
        return id(self)


def _library(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(f"model_signing.{name}")
    except ImportError as error:
        raise TargetError(INSTALL) from error


def _expected(folder: str, keys: KeyMaterial, signature: str) -> tuple[dict[str, str], str, tuple[str, ...]]:
    """File -> digest as signed, how it was hashed, and the paths the signature leaves out."""
    verifying = _library("verifying")
    expected = _Expected()
    if not os.path.isfile(signature):
        raise TargetError(f"{signature}: no signature there; name it with --signature")
    try:
        config = verifying.Config()
        if keys.public_key:
            config.use_elliptic_key_verifier(public_key=keys.public_key)
        else:
            config.use_certificate_verifier(certificate_chain=keys.chain)
        config.set_hashing_config(expected).verify(folder, signature)
        manifest = expected.manifest
        how: dict[str, Any] = manifest.serialization_type
        signed = {str(item.identifier): str(item.digest.digest_hex) for item in manifest.resource_descriptors()}
    except Exception as error:  # the library raises what its parsers raise; none of it is a good signature
        raise TargetError(f"{signature}: the signature is not good: {_first_line(error)}") from error
    method = str(how["hash_type"]) if how["method"] == "files" else f"{how['hash_type']}:{how['shard_size']}"
    ignore = tuple(os.path.normpath(str(path)).replace(os.sep, "/") for path in how.get("ignore_paths", ()))
    return signed, method, ignore


def _rehashed(folder: str, method: str, left_out: tuple[str, ...], present: dict[str, FileEntry]) -> dict[str, str]:
    """Digests by another of the format's methods, taken by the library itself; only of what is `present`."""
    hashing = _library("hashing")
    algorithm, _, shard = method.partition(":")
    config = hashing.Config()
    if shard:
        config.use_shard_serialization(hashing_algorithm=algorithm, shard_size=int(shard))
    else:
        config.use_file_serialization(hashing_algorithm=algorithm)
    config.set_ignored_paths(paths=left_out, ignore_git_paths=False)
    from pathlib import Path

    manifest = config.hash(folder, files_to_hash=[Path(folder, path) for path in present])
    return {str(item.identifier): str(item.digest.digest_hex) for item in manifest.resource_descriptors()}


def _file_of(identifier: str, files: Iterable[str]) -> str:
    """The file of a shard's identifier `path:start:end`; any other identifier is a path."""
    path = identifier.rsplit(":", 2)[0]
    return path if identifier not in files and identifier.count(":") >= 2 else identifier


def _difference(signed: dict[str, str], found: dict[str, str], unchecked: frozenset[str], *, whole: bool) -> VerifyResult:
    changed = {_file_of(key, found) for key in signed.keys() & found.keys() if signed[key] != found[key]}
    missing = {_file_of(key, ()) if not whole else _file_of(key, signed) for key in signed.keys() - found.keys()} - unchecked
    added = {_file_of(key, found) for key in found.keys() - signed.keys()}
    changed |= missing & added  # shards of a file that grew or shrank
    missing, added = missing - changed, added - changed
    renamed: list[tuple[str, str]] = []
    by_digest = {signed[path]: path for path in sorted(missing) if path in signed}
    for path in sorted(added):
        before = by_digest.pop(found.get(path, ""), "")
        if before:
            renamed.append((before, path))
    old, new = {b for b, _ in renamed}, {a for _, a in renamed}
    return VerifyResult(
        changed=tuple(sorted(changed)),
        added=tuple(sorted(added - new)),
        missing=tuple(sorted(missing - old)),
        renamed=tuple(renamed),
    )


def _own_manifest(folder: str, signed: dict[str, str]) -> dict[str, FileEntry]:
    """The manifest in `folder` by path, while it is as it was signed; else nothing."""
    path = os.path.join(folder, NAME)
    if NAME not in signed or not os.path.isfile(path) or measure_file(folder, NAME).sha256 != signed[NAME]:
        return {}
    return read_manifest(path).by_path


def _left_out(folder: str, signature: str) -> tuple[str, ...]:
    there = tuple(path for path in IGNORED if os.path.lexists(os.path.join(folder, path)))
    return (*there, *_signature_inside(folder, signature))


def _signature_inside(folder: str, signature: str) -> tuple[str, ...]:
    relative = os.path.relpath(os.path.realpath(signature), os.path.realpath(folder)).replace(os.sep, "/")
    return () if relative.startswith("../") else (relative,)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
