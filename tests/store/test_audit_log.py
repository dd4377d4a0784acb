"""The audit log: what is acknowledged stays, what is changed is named."""

import datetime as dt
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hauberk.store.audit.entry import broken
from hauberk.store.audit.errors import AuditError, AuditRefused
from hauberk.store.audit.keypair import good_signature
from hauberk.store.audit.log import AuditLog, LogOptions
from hauberk.store.audit.note import opened, parsed_verifier_key
from hauberk.store.audit.segments import checkpoint_notes, segments
from hauberk.store.audit.verify import Verification, logs_in, public_key, verify

SMALL = LogOptions(segment_bytes=2000, checkpoint_entries=7, group=5, reserve_bytes=4096)


def filled(folder: Path, count: int, options: LogOptions = SMALL) -> None:
    with AuditLog(str(folder), options) as log:
        futures = [log.append("request", {"number": n, "text": "说明"}) for n in range(count)]
        for number, future in enumerate(futures):
            assert future.result(10).seq == number


def verified(folder: Path, *kept: bytes) -> Verification:
    return verify(str(folder), *public_key(str(folder)), kept)


def rewrite(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    filled(tmp_path / "log", 40)
    return tmp_path / "log"


def test_intact(folder: Path) -> None:
    made = verified(folder)
    assert (made.entries, made.covered, made.broken, made.complete) == (40, 40, None, True)
    assert made.checkpoints >= 1
    assert len(segments(str(folder))) > 2


def test_goes_on_after_a_stop(folder: Path) -> None:
    with AuditLog(str(folder), SMALL) as log:
        assert log.append("admin", {}).result(10).seq == 40
    assert verified(folder).entries == 41


def test_changed_entry_is_named(folder: Path) -> None:
    rewrite(folder / segments(str(folder))[1], b'"number":7,', b'"number":8,')
    made = verified(folder)
    assert made.broken
    assert made.broken.seq == 7
    assert "changed" in made.broken.why


def test_entry_rewritten_with_its_hash_is_named(folder: Path) -> None:
    """Whoever changes an entry and hashes it anew breaks the link of the one after it."""
    path = folder / segments(str(folder))[0]
    lines = path.read_bytes().split(b"\n")
    from hauberk.store.audit.merkle import leaf_hash

    body = lines[2][65:].replace(b'"number":2', b'"number":9')
    lines[2] = leaf_hash(body).hex().encode() + b" " + body
    path.write_bytes(b"\n".join(lines))
    made = verified(folder)
    assert made.broken
    assert made.broken.seq == 3
    assert "follow" in made.broken.why


def test_removed_entry_is_named(folder: Path) -> None:
    path = folder / segments(str(folder))[0]
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(lines[:3] + lines[4:]))
    made = verified(folder)
    assert made.broken
    assert made.broken.seq == 3
    assert "removed" in made.broken.why


def test_cut_end_is_seen(folder: Path) -> None:
    path = folder / segments(str(folder))[-1]
    lines = path.read_bytes().rstrip(b"\n").split(b"\n")
    path.write_bytes(b"".join(line + b"\n" for line in lines[:-1]))
    made = verified(folder)
    assert made.broken
    assert "cut off" in made.broken.why
    with pytest.raises(AuditError, match="a signed checkpoint says"):
        AuditLog(str(folder), SMALL)


def test_missing_segment_is_seen(folder: Path) -> None:
    (folder / segments(str(folder))[1]).unlink()
    made = verified(folder)
    assert made.broken
    assert "segment 2 is missing" in made.broken.why


def test_log_written_anew_without_the_key_is_seen(folder: Path, tmp_path: Path) -> None:
    """A whole new chain under a key of the attacker's own does not verify under the key that was handed out."""
    origin, public = public_key(str(folder))
    filled(tmp_path / "other", 40)
    made = verify(str(tmp_path / "other"), origin, public)
    assert made.broken
    assert "signature" in made.broken.why


def test_log_written_anew_with_the_key_disagrees_with_a_kept_checkpoint(folder: Path, tmp_path: Path) -> None:
    kept = checkpoint_notes(str(folder))[-1]
    other = tmp_path / "other"
    other.mkdir()
    for name in ("checkpoint-key.pem", "checkpoint-key.pub"):
        shutil.copy(folder / name, other / name)
    with AuditLog(str(other), SMALL) as log:
        for number in range(40):
            log.append("request", {"number": number, "text": "another story"}).result(10)
    assert verified(other).complete
    made = verified(other, kept)
    assert made.broken
    assert "not those that were signed" in made.broken.why


def test_entries_after_the_last_checkpoint_are_not_called_covered(folder: Path) -> None:
    lines = (folder / "checkpoints").read_bytes().split(b"\n.\n")
    (folder / "checkpoints").write_bytes(b"".join(note + b"\n.\n" for note in lines[:-2]))
    made = verified(folder)
    assert made.broken is None
    assert made.covered < made.entries
    assert not made.complete


def test_damage_is_found_before_anything_is_put_on_top(folder: Path) -> None:
    rewrite(folder / segments(str(folder))[1], b'"number":7,', b'"number":8,')
    with pytest.raises(AuditError, match=r"byte \d+: the entry was changed"):
        AuditLog(str(folder), SMALL)


def test_one_writer(folder: Path) -> None:
    with AuditLog(str(folder), SMALL), pytest.raises(AuditError, match="another process writes"):
        AuditLog(str(folder), SMALL)


def test_torn_last_line_is_cut_and_said(folder: Path) -> None:
    path = folder / segments(str(folder))[-1]
    with path.open("ab") as file:
        file.write(b"0123456789abcdef torn")
    made = verified(folder)
    assert made.broken is None
    assert made.torn == 21
    AuditLog(str(folder), SMALL).close()
    assert b'"torn_bytes":21' in path.read_bytes()
    assert verified(folder).complete


def test_regression_a_torn_checkpoint_spoilt_the_next_one_and_the_next_start(folder: Path) -> None:
    path = folder / "checkpoints"
    path.write_bytes(path.read_bytes() + b"hauberk/audit\n41\nddUkQrdeZF")
    filled_on = AuditLog(str(folder), SMALL)
    assert filled_on.append("request", {}).result(10).seq == 40
    filled_on.close()
    assert verified(folder).complete
    AuditLog(str(folder), SMALL).close()


def test_regression_of_a_kept_file_with_several_checkpoints_only_the_first_counted(folder: Path, tmp_path: Path) -> None:
    kept = (folder / "checkpoints").read_bytes()
    assert verified(folder, kept).complete
    key = (folder / "checkpoint-key.pem").read_bytes()
    (tmp_path / "short").mkdir()
    (tmp_path / "short" / "checkpoint-key.pem").write_bytes(key)
    (tmp_path / "short" / "checkpoint-key.pem").chmod(0o600)
    filled(tmp_path / "short", 7)
    assert verified(tmp_path / "short", kept).broken
    assert verified(tmp_path / "short", b"").broken  # an empty file proves nothing


def test_key_that_others_may_read_is_refused(folder: Path) -> None:
    (folder / "checkpoint-key.pem").chmod(0o644)
    with pytest.raises(AuditError, match="others may read the signing key"):
        AuditLog(str(folder), SMALL)


def test_the_public_half_of_a_key_of_ones_own_is_put_beside_it(folder: Path) -> None:
    public = folder / "checkpoint-key.pub"
    before = public.read_text("utf-8")
    public.unlink()
    AuditLog(str(folder), SMALL).close()
    assert public.read_text("utf-8") == before
    assert verified(folder).complete
    kept = "kept+00000000+as it is\n"
    public.write_text(kept, "utf-8")
    AuditLog(str(folder), SMALL).close()
    assert public.read_text("utf-8") == kept, "what is there is not written over"
    assert [path.name for path in folder.glob("*.pub*")] == ["checkpoint-key.pub"]


def test_entry_that_is_no_json_is_refused_and_the_next_is_taken(tmp_path: Path) -> None:
    with AuditLog(str(tmp_path), SMALL) as log:
        bad = log.append("request", {"value": object()})
        huge = log.append("request", {"value": "x" * (1 << 20)})
        good = log.append("request", {"value": 1})
        assert good.result(10).seq == 0
        for future in (bad, huge):
            with pytest.raises(AuditRefused):
                future.result(10)
    assert verified(tmp_path).complete


def test_closed_log_refuses(tmp_path: Path) -> None:
    log = AuditLog(str(tmp_path), SMALL)
    log.close()
    with pytest.raises(AuditRefused, match="closed"):
        log.append("request", {}).result(1)


def test_many_threads(tmp_path: Path) -> None:
    with AuditLog(str(tmp_path), SMALL) as log:
        threads = [threading.Thread(target=lambda: [log.append("r", {}).result(20) for _ in range(25)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    made = verified(tmp_path)
    assert made.complete
    assert made.entries == 200


def test_checkpoint_comes_with_time(tmp_path: Path) -> None:
    """A clock that jumps: the first entry, then two hours later."""
    times = iter([dt.datetime(2026, 1, 1, tzinfo=dt.UTC)] * 2)
    late = dt.datetime(2026, 1, 1, 2, tzinfo=dt.UTC)
    with AuditLog(str(tmp_path), LogOptions(checkpoint_seconds=10), now=lambda: next(times, late)) as log:
        log.append("request", {}).result(10)
        log.append("request", {}).result(10)
        for _ in range(200):
            if checkpoint_notes(str(tmp_path)):
                break
            threading.Event().wait(0.01)
        assert checkpoint_notes(str(tmp_path))


def test_checkpoints_are_notes_others_can_read(folder: Path) -> None:
    """C2SP signed-note: name, size, root in base64, an empty line, a signature line that begins with an em dash."""
    note = checkpoint_notes(str(folder))[-1]
    lines = note.decode().split("\n")
    assert lines[0] == "hauberk/audit"
    assert lines[1] == "40"
    assert len(lines[2]) == 44
    assert lines[4] == ""
    assert lines[5].startswith("— hauberk/audit ")
    origin, public = parsed_verifier_key((folder / "checkpoint-key.pub").read_text())
    assert opened(note, origin, public, good_signature).size == 40


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_changed_byte_is_seen(folder: Path, tmp_path: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(segments(str(folder))))
    original = (folder / name).read_bytes()
    at = data.draw(st.integers(0, len(original) - 2))
    changed = bytearray(original)
    changed[at] ^= data.draw(st.integers(1, 255))
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    (copy / name).write_bytes(changed)
    assert not verified(copy).complete
    (copy / name).write_bytes(original)


@pytest.mark.parametrize("spelling", ["capitals", "space before", "spaces inside"])
def test_hash_is_compared_as_text(folder: Path, spelling: str) -> None:
    """`bytes.fromhex` takes capitals and spaces: a hash written otherwise was once not seen."""
    first = folder / segments(str(folder))[0]
    original = first.read_bytes()
    stated = original[:64]
    other = {"capitals": stated.upper(), "space before": b" " + stated[:-1], "spaces inside": stated[:2] + b"  " + stated[4:]}
    first.write_bytes(other[spelling] + original[64:])
    found = verified(folder).broken
    assert found is not None
    assert found.seq == 0


def test_every_bit_of_a_line_counts(folder: Path) -> None:
    line = (folder / segments(str(folder))[0]).read_bytes().split(b"\n")[0] + b"\n"
    assert broken(line) == ""
    for at in range(len(line) - 1):
        for bit in range(8):
            assert broken(line[:at] + bytes([line[at] ^ 1 << bit]) + line[at + 1 :])


def test_signature_has_one_spelling(folder: Path) -> None:
    """68 bytes leave two spare bits in base64: a note that sets them is not the one that was signed."""
    origin, public = parsed_verifier_key((folder / "checkpoint-key.pub").read_text())
    note = checkpoint_notes(str(folder))[-1].rstrip(b"\n")
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    assert note.endswith(b"=")
    spare = bytes([alphabet[alphabet.index(note[-2]) | 1]])
    assert opened(note + b"\n", origin, public, good_signature).size == 40
    with pytest.raises(AuditError, match="signature"):
        opened(note[:-2] + spare + b"=\n", origin, public, good_signature)


@given(st.binary(max_size=300))
def test_no_note_opens_that_was_not_signed(note: bytes) -> None:
    with pytest.raises(AuditError):
        opened(note, "hauberk/audit", bytes(32), good_signature)


WRITER = """
import sys
from hauberk.store.audit.log import AuditLog, LogOptions
log = AuditLog(sys.argv[1], LogOptions(segment_bytes=20000, checkpoint_entries=50))
pending = []
while True:
    pending.append(log.append("request", {"filler": "x" * 50}))
    if len(pending) == 20:
        for future in pending:
            print(future.result(20).seq, flush=True)
        pending.clear()
"""


def test_nothing_acknowledged_is_lost_when_killed(tmp_path: Path) -> None:
    acknowledged = -1
    for _ in range(4):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            for _ in range(130):
                acknowledged = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            for line in process.stdout:
                acknowledged = int(line) if line.endswith("\n") else acknowledged
        made = verified(tmp_path)
        assert made.broken is None
        assert made.entries > acknowledged


def until_refused(log: AuditLog) -> tuple[int, AuditRefused | None]:
    for taken in range(2000):
        try:
            log.append("request", {"filler": "x" * 1000}).result(10)
        except AuditRefused as error:
            return taken, error
    return 2000, None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("a small disk cannot be mounted here (needs root)")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_full_disk_refuses_stays_readable_and_recovers(small_disk: Path) -> None:
    options = LogOptions(reserve_bytes=64 << 10, checkpoint_entries=100)
    with AuditLog(str(small_disk / "log"), options) as log:
        (small_disk / "ballast").write_bytes(bytes(700 << 10))
        taken, error = until_refused(log)
        assert "no space left" in str(error)
        made = verified(small_disk / "log")
        assert made.broken is None
        assert made.entries >= taken
        (small_disk / "ballast").unlink()
        assert log.append("request", {}).result(10).seq >= taken
    made = verified(small_disk / "log")
    assert made.complete
    assert b'"event":"refusing"' in b"".join((small_disk / "log" / n).read_bytes() for n in segments(str(small_disk / "log")))
    assert (small_disk / "log" / "reserve").stat().st_size == 64 << 10


def test_full_disk_of_a_limited_process(tmp_path: Path) -> None:
    """As above where no disk can be mounted: a process may write no file beyond 40 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with AuditLog(str(tmp_path), LogOptions(reserve_bytes=4096)) as log:
            resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, before[1]))
            assert "too large" in str(until_refused(log)[1])
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            assert log.append("request", {}).result(10).seq > 10
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    assert verified(tmp_path).complete


def test_logs_of_workers_lie_below(tmp_path: Path) -> None:
    filled(tmp_path / "worker-1", 2)
    filled(tmp_path / "worker-2", 2)
    os.mkdir(tmp_path / "other")
    assert logs_in(str(tmp_path)) == [str(tmp_path / "worker-1"), str(tmp_path / "worker-2")]
