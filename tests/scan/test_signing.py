"""Signing and verifying, both ways with the reference implementation's own command line."""

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hauberk.scan.manifest import NAME, read_manifest
from hauberk.scan.signing import KeyMaterial, VerifyResult, sign_directory, verify_directory
from hauberk.scan.spool import TargetError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def safetensors(**tensors: list[float]) -> bytes:
    header, data = {}, b""
    for name, values in tensors.items():
        raw = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": [len(values)], "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "sub" / "notes.txt").write_text("notes")
    (folder / "model.safetensors").write_bytes(safetensors(a=[1, 2], b=[3, 4]))
    return folder


@pytest.fixture
def keys(tmp_path: Path) -> KeyMaterial:
    private = ec.generate_private_key(ec.SECP256R1())
    secret, public = tmp_path / "key.pem", tmp_path / "key.pub"
    secret.write_bytes(
        private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public.write_bytes(
        private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return KeyMaterial(private_key=str(secret), public_key=str(public))


def reference(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "model_signing", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def test_what_we_sign_we_verify(model: Path, keys: KeyMaterial) -> None:
    signed = sign_directory(str(model), keys)
    assert (signed.files, signed.tensors) == (4, 2)
    result = verify_directory(str(model), keys)
    assert result == VerifyResult(files=4)
    assert result.intact


def test_the_reference_verifies_what_we_sign(model: Path, keys: KeyMaterial) -> None:
    sign_directory(str(model), keys)
    done = reference("verify", "key", model, "--signature", model / "model.sig", "--public_key", keys.public_key)
    assert done.returncode == 0, done.stdout + done.stderr
    (model / "config.json").write_text("{ }")
    done = reference("verify", "key", model, "--signature", model / "model.sig", "--public_key", keys.public_key)
    assert done.returncode != 0


def test_git_files_are_covered_and_the_reference_still_verifies(model: Path, keys: KeyMaterial) -> None:
    """The reference ignores them, so they are not in the signature; the manifest that it covers has them."""
    (model / ".gitattributes").write_text("*.bin filter=lfs\n")
    (model / ".github").mkdir()
    (model / ".github" / "ci.yaml").write_text("on: push\n")
    (model / ".git").mkdir()
    (model / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    assert sign_directory(str(model), keys).ignored == (".git/HEAD",)
    arguments = ("verify", "key", model, "--signature", model / "model.sig", "--public_key", keys.public_key)
    assert reference(*arguments).returncode == 0
    result = verify_directory(str(model), keys)
    assert (result.intact, result.ignored) == (True, (".git/HEAD",))
    (model / ".gitattributes").write_text("*.bin filter=evil\n")
    (model / ".github" / "planted.yaml").write_text("on: push\n")
    assert reference(*arguments).returncode == 0
    result = verify_directory(str(model), keys)
    assert (result.changed, result.added) == ((".gitattributes",), (".github/planted.yaml",))


@pytest.mark.parametrize("extra", [(), ("--allow_symlinks",)])
def test_we_verify_what_the_reference_signs(model: Path, keys: KeyMaterial, extra: tuple[str, ...]) -> None:
    done = reference("sign", "key", model, "--signature", model / "model.sig", "--private_key", keys.private_key, *extra)
    assert done.returncode == 0, done.stdout + done.stderr
    assert verify_directory(str(model), keys).intact
    (model / "sub" / "notes.txt").write_text("other")
    assert verify_directory(str(model), keys).changed == ("sub/notes.txt",)


def test_what_the_reference_ignores_is_reported(model: Path, keys: KeyMaterial) -> None:
    """The reference leaves `.gitattributes` and `.github` out of a signature; a file planted there still verifies with it."""
    (model / ".github").mkdir()
    reference("sign", "key", model, "--signature", model / "model.sig", "--private_key", keys.private_key)
    (model / ".github" / "planted.py").write_text("import os")
    assert reference("verify", "key", model, "--signature", model / "model.sig", "--public_key", keys.public_key).returncode == 0
    assert verify_directory(str(model), keys).ignored == (".github/planted.py",)


def test_every_kind_of_change_is_named(model: Path, keys: KeyMaterial) -> None:
    sign_directory(str(model), keys)
    (model / "config.json").write_text('{"auto_map": {}}')
    (model / "sub" / "notes.txt").rename(model / "notes.md")
    (model / "new.py").write_text("import os")
    result = verify_directory(str(model), keys)
    assert result.changed == ("config.json",)
    assert result.renamed == (("sub/notes.txt", "notes.md"),)
    assert result.added == ("new.py",)
    (model / "notes.md").unlink()
    assert verify_directory(str(model), keys).missing == ("sub/notes.txt",)


def test_the_changed_tensor_is_named(model: Path, keys: KeyMaterial) -> None:
    sign_directory(str(model), keys)
    (model / "model.safetensors").write_bytes(safetensors(a=[1, 2], b=[3, 5]))
    result = verify_directory(str(model), keys)
    assert result.changed == ("model.safetensors",)
    assert [(change.name, change.how) for change in result.tensors] == [("b", "changed")]


def test_tensors_against_another_model(model: Path, keys: KeyMaterial, tmp_path: Path) -> None:
    sign_directory(str(model), keys)
    tuned = tmp_path / "tuned"
    shutil.copytree(model, tuned)
    (tuned / "model.safetensors").write_bytes(safetensors(a=[9, 2], b=[3, 4], c=[1]))
    sign_directory(str(tuned), keys)
    result = verify_directory(str(tuned), keys, base=str(model))
    named = {(change.name, change.how) for change in result.tensors}
    assert {("a", "changed"), ("c", "added")} <= named
    assert ("b", "changed") not in named


def test_only_looks_at_what_is_named(model: Path, keys: KeyMaterial) -> None:
    sign_directory(str(model), keys)
    (model / "model.safetensors").write_bytes(b"changed")
    result = verify_directory(str(model), keys, only=["config.json"])
    assert result.intact
    assert set(result.unchecked) == {"model.safetensors", "sub/notes.txt", NAME}


def test_a_signature_that_is_not_good(model: Path, keys: KeyMaterial, tmp_path: Path) -> None:
    sign_directory(str(model), keys)
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    wrong = tmp_path / "wrong.pub"
    wrong.write_bytes(other.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(TargetError, match="not good"):
        verify_directory(str(model), KeyMaterial(public_key=str(wrong)))
    for damage in (b"", b"{}", b"\xff\xfe", (model / "model.sig").read_bytes()[:-40]):
        (model / "model.sig").write_bytes(damage)
        with pytest.raises(TargetError, match="not good"):
            verify_directory(str(model), keys)
    (model / "model.sig").unlink()
    with pytest.raises(TargetError, match="no signature"):
        verify_directory(str(model), keys)


def test_a_forged_manifest_is_no_base(model: Path, keys: KeyMaterial) -> None:
    """The manifest of tensors counts only while its own digest is the signed one."""
    sign_directory(str(model), keys)
    (model / "model.safetensors").write_bytes(safetensors(a=[1, 2], b=[3, 5]))
    (model / NAME).write_text('{"schema": "hauberk.manifest/1", "files": []}')
    result = verify_directory(str(model), keys)
    assert result.changed == (NAME, "model.safetensors")
    assert result.tensors == ()


def test_links_are_refused(model: Path, keys: KeyMaterial) -> None:
    (model / "link").symlink_to("config.json")
    with pytest.raises(TargetError, match="symbolic link"):
        sign_directory(str(model), keys)


@pytest.mark.parametrize("text", ["", "{}", "[", '{"schema": "hauberk.manifest/9", "files": []}', "[" * 100_000])
def test_a_bad_manifest_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(TargetError, match="not a manifest"):
        read_manifest(tmp_path / "m.json")


def test_certificates(model: Path, tmp_path: Path) -> None:
    root = Path(__file__).parent / "certificates.sh"
    subprocess.run(["bash", str(root), str(tmp_path)], check=True, capture_output=True)
    signing = KeyMaterial(
        private_key=str(tmp_path / "leaf.key"), certificate=str(tmp_path / "leaf.pem"), chain=(str(tmp_path / "ca.pem"),)
    )
    sign_directory(str(model), signing)
    trusting = KeyMaterial(chain=(str(tmp_path / "ca.pem"),))
    assert verify_directory(str(model), trusting).intact
    done = reference("verify", "certificate", model, "--signature", model / "model.sig", "--certificate_chain", tmp_path / "ca.pem")
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.raises(TargetError, match="not good"):
        verify_directory(str(model), KeyMaterial(chain=(str(tmp_path / "other.pem"),)))


def test_the_command_line(model: Path, keys: KeyMaterial) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hauberk", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))

    assert run("sign", str(model), "--key", keys.private_key).returncode == 0
    assert run("verify", str(model), "--key", keys.public_key).returncode == 0
    (model / "model.safetensors").write_bytes(safetensors(a=[1, 2], b=[3, 5]))
    done = run("verify", str(model), "--key", keys.public_key)
    assert done.returncode == 1
    assert "tensor   changed  model.safetensors: b" in done.stdout.splitlines()
    assert run("verify", str(model)).returncode == 2
    assert run("sign", str(model / "nothing"), "--key", keys.private_key).returncode == 2
