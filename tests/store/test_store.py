import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hauberk.core import Admission, AssetRecord, Confidence, Evidence, Finding, Gap, GapReason, Run, Severity, Versions
from hauberk.store import FileStamp, Store, StoreError, cache_key
from hauberk.store.schema import MIGRATIONS


def record(uri: str, verdict: Admission = Admission.ADMIT) -> AssetRecord:
    return AssetRecord(uri=uri, kind="model", verdict=verdict, format="pickle", digest="sha256:" + "0" * 64, size=7)


def finding(uri: str, rule: str = "pickle-call", quote: str = "os.system") -> Finding:
    evidence = (Evidence(offset=3, where="REDUCE", quote=quote),)
    return Finding(rule, uri, Severity.CRITICAL, Confidence.HIGH, "code-execution-on-load", "model", "model", "Code", evidence, uri)


def gap(uri: str) -> Gap:
    return Gap(uri, GapReason.ENCRYPTED, "encrypted", kind="archive", root=uri)


def run_of(name: str, **fields: object) -> Run:
    base = Run(id=name, command="scan", targets=("m",), versions=Versions("0.1.0", "abc"), started="2026-11-21T00:00:00Z")
    values = {key: getattr(base, key) for key in base.__struct_fields__} | {"ended": "2026-11-21T00:00:01Z"} | fields
    return Run(**values)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "hauberk.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(str(path)) as opened:
        yield opened


def test_a_run_comes_back_as_it_was(store: Store) -> None:
    run = run_of(
        "r1",
        assets=(record("m/a", Admission.BLOCK),),
        findings=(finding("m/a"),),
        gaps=(gap("m/b"),),
        suppressed=("x",),
        notices=("n",),
        exit_code=1,
    )
    store.begin_run(run_of("r1", ended="", complete=False))
    store.record(record("m/a"), (finding("m/a"),), ())
    store.finish_run(run)
    assert store.load_run("r1") == run
    assert store.last_run() == run
    assert list(store.recorded("r1")) == []


def test_what_was_recorded_before_a_crash_is_there(path: Path) -> None:
    with Store.open(str(path)) as store:
        store.begin_run(run_of("r1", ended="", complete=False))
        store.record(record("m/b"), (finding("m/b"),), ())
        store.record(record("m/a"), (), (gap("m/a"),))
    with Store.open(str(path)) as store:
        assert store.incomplete_run("scan", ("m",)) == "r1"
        assert store.incomplete_run("scan", ("m",), tool="0.1.0", rules="abc") == "r1"
        assert store.incomplete_run("scan", ("m",), rules="other") == ""
        assert store.incomplete_run("scan", ("other",)) == ""
        assert [seen[0].uri for seen in store.recorded("r1")] == ["m/a", "m/b"]
        run = store.load_run("r1")
        assert run is not None
        assert not run.complete
        assert run.findings == (finding("m/b"),)


def test_an_interrupted_run_is_resumed_under_its_id(store: Store) -> None:
    store.begin_run(run_of("r1", ended="", complete=False))
    store.record(record("m/a"), (), ())
    store.finish_run(run_of("r1", complete=False, assets=(record("m/a"),)))
    assert store.incomplete_run("scan", ("m",)) == "r1"
    assert [seen[0].uri for seen in store.recorded("r1")] == ["m/a"]
    store.begin_run(run_of("r1", ended="", complete=False))
    store.record(record("m/b"), (), ())
    store.finish_run(run_of("r1", assets=(record("m/a"), record("m/b"))))
    assert store.incomplete_run("scan", ("m",)) == ""
    assert [summary.id for summary in store.list_runs()] == ["r1"]
    assert store.list_runs()[0].assets == 2


def test_runs_are_found_by_prefix_and_order(store: Store) -> None:
    for name in ("aaaa11", "aaaa22", "bbbb33"):
        store.begin_run(run_of(name))
        store.finish_run(run_of(name))
    assert store.last_run() == store.load_run("last") == store.load_run("bbbb")
    assert store.load_run("bbb") is None
    assert store.load_run("%%%%") is None
    assert [summary.id for summary in store.list_runs()] == ["bbbb33", "aaaa22", "aaaa11"]
    with pytest.raises(StoreError, match="several runs begin with 'aaaa'"):
        store.load_run("aaaa")


def test_no_run_yet(store: Store) -> None:
    assert store.last_run() is None
    assert store.load_run("nothing") is None
    assert store.list_runs() == []
    with pytest.raises(StoreError, match="no run 'a' is recorded"):
        store.diff("a", "b")


def test_diff(store: Store) -> None:
    before = run_of(
        "r1",
        assets=(record("m/a", Admission.BLOCK), record("m/gone")),
        findings=(finding("m/a", quote="old"), finding("m/a", quote="same"), finding("m/gone")),
    )
    after = run_of(
        "r2", assets=(record("m/a", Admission.HOLD),), findings=(finding("m/a", quote="same"), finding("m/a", quote="new"))
    )
    for run in (before, after):
        store.begin_run(run)
        store.finish_run(run)
    diff = store.diff("r1", "last")
    assert [f.evidence[0].quote for f in diff.new] == ["new"]
    assert [f.evidence[0].quote for f in diff.fixed] == ["old"]
    assert [f.evidence[0].quote for f in diff.unchanged] == ["same"]
    assert [f.asset for f in diff.unseen] == ["m/gone"]
    assert {(v.uri, v.before, v.after) for v in diff.verdicts} == {("m/a", "block", "hold"), ("m/gone", "admit", None)}


def test_memory_of_a_content(path: Path) -> None:
    with Store.open(str(path)) as store:
        store.begin_run(run_of("r1"))
        assert store.cached("k") is None
        store.record(record("m/a"), (finding("m/a"),), (gap("m/a"),), "k")
        assert store.cached("k") == (record("m/a"), (finding("m/a"),), (gap("m/a"),))
    with Store.open(str(path)) as store:
        assert store.cached("k") == (record("m/a"), (finding("m/a"),), (gap("m/a"),))


def test_a_cached_body_of_another_version_is_looked_at_again(path: Path) -> None:
    with Store.open(str(path)):
        pass
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO cache VALUES ('k', 1, ?)", (b"\x93\x01\x02\x03",))
    connection.close()
    with Store.open(str(path)) as store:
        assert store.cached("k") is None


def stamp(**changes: object) -> FileStamp:
    values = {"path": "/m/\udc80", "size": 5, "mtime_ns": 10, "ctime_ns": 20, "inode": (2**63 + 5, 2**63 + 9)} | changes
    return FileStamp(**values)


def test_quick_digest_holds_until_the_file_is_touched(store: Store) -> None:
    store.remember_digest(stamp(), "sha256:aa")
    store.flush()
    assert store.quick_digest(stamp()) == "sha256:aa"
    for changes in ({"size": 6}, {"mtime_ns": 11}, {"ctime_ns": 21}, {"inode": (1, 1)}, {"path": "/m/\\udc80x"}):
        assert store.quick_digest(stamp(**changes)) == ""


def test_quick_digest_of_a_file_just_written_is_not_trusted(store: Store) -> None:
    fresh = stamp(mtime_ns=time.time_ns())
    store.remember_digest(fresh, "sha256:aa")
    store.flush()
    assert store.quick_digest(fresh) == ""


def test_prune_keeps_the_newest_and_what_they_used(store: Store) -> None:
    for number in range(4):
        run = run_of(f"run{number}", assets=(record("m"),), findings=(finding("m"),), gaps=(gap("m"),))
        store.begin_run(run)
        store.record(record("m"), (), (), f"only{number}")
        if number:
            assert store.cached("only0") is not None
        store.finish_run(run)
    assert store.prune(2) == 2
    assert [summary.id for summary in store.list_runs()] == ["run3", "run2"]
    assert store.cached("only0") is not None
    assert store.cached("only1") is None
    assert store.cached("only2") is not None
    assert store.prune(2) == 0


def test_only_its_owner_reads_it(path: Path) -> None:
    before = os.umask(0)
    try:
        with Store.open(str(path)) as store:
            store.begin_run(run_of("r1"))
            modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
            assert set(modes.values()) == {0o600}
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_names_that_are_no_text(store: Store) -> None:
    run = run_of("r1", targets=("m\udc80",), assets=(record("m\udc80/\ud800"),), findings=(finding("m\udc80", quote="\udcff"),))
    store.begin_run(run)
    store.record(run.assets[0], run.findings, ())
    store.finish_run(run)
    loaded = store.load_run("r1")
    assert loaded is not None
    assert loaded.assets[0].uri == "m\\udc80/\\ud800"
    assert loaded.findings[0].fingerprint == run.findings[0].fingerprint


def test_ten_thousand_assets_cost_less_than_half_a_second(store: Store) -> None:
    seen = [(record(f"m/{n}"), (finding(f"m/{n}"),) if n % 10 == 0 else ()) for n in range(10_000)]
    started = time.process_time()
    store.begin_run(run_of("r1", ended="", complete=False))
    for n, (one, findings) in enumerate(seen):
        store.record(one, findings, (), f"key{n}")
        store.remember_digest(stamp(path=f"/m/{n}"), "sha256:aa")
    store.finish_run(run_of("r1", assets=tuple(one for one, _ in seen), findings=tuple(f for _, fs in seen for f in fs)))
    assert time.process_time() - started < 1.0  # 0.3 s alone; tests run beside others


def test_not_a_store(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database at all, and long enough to say so\n" * 40)
    with pytest.raises(StoreError, match="is not a Hauberk store"):
        Store.open(str(path))
    assert path.read_bytes().startswith(b"this is")


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (a)")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="another program"):
        Store.open(str(path))


def test_a_store_of_a_newer_version(path: Path) -> None:
    with Store.open(str(path)):
        pass
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(StoreError, match="newer Hauberk"):
        Store.open(str(path))


def test_damaged(path: Path) -> None:
    with Store.open(str(path)) as store:
        for n in range(200):
            store.begin_run(run_of(f"r{n}", notices=("x" * 500,)))
    data = bytearray(path.read_bytes())
    for start in range(4096, len(data), 4096):
        data[start : start + 2048] = b"\xff" * 2048
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"hauberk\.db"), Store.open(str(path)) as store:
        store.list_runs()


def test_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(str(path)) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        store._database.connection.execute("PRAGMA busy_timeout = 50")
        with pytest.raises(StoreError, match="in use by another process"):
            store.begin_run(run_of("r1"))
        other.execute("ROLLBACK")
        other.close()
        store.begin_run(run_of("r1"))


def test_a_full_disk(path: Path) -> None:
    with Store.open(str(path)) as store:
        connection = store._database.connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="disk is full"):
            store.begin_run(run_of("r1", notices=("x" * 100_000,)))
        connection.execute("PRAGMA max_page_count = 100000")
        store.begin_run(run_of("r1"))
        assert [summary.id for summary in store.list_runs()] == ["r1"]


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be used"):
        Store.open(str(tmp_path / "file" / "hauberk.db"))
    with pytest.raises(StoreError, match="cannot be used: is a directory"):
        Store.open(str(tmp_path))


@pytest.mark.parametrize(
    ("url", "said"),
    [("sqlite:///", "names no file"), ("mysql://h/d", "is no store"), ("redis://h", "is no store")],
)
def test_urls_that_name_no_store(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said):
        Store.open(url)


def test_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    for url, expected in (
        ("", tmp_path / "xdg" / "hauberk" / "hauberk.db"),
        ("sqlite:///a%20b.db", tmp_path / "a b.db"),
        (f"sqlite:///{tmp_path}/c.db", tmp_path / "c.db"),
    ):
        with Store.open(url):
            assert expected.exists()


def test_the_key_of_a_content() -> None:
    from hauberk.assets.budget import Limits

    key = cache_key("sha256:aa", "a.pkl", tool="1", rules="2", limits=Limits())
    assert key == cache_key("sha256:aa", "a.pkl", tool="1", rules="2", limits=Limits())
    others = {
        cache_key("sha256:ab", "a.pkl", tool="1", rules="2", limits=Limits()),
        cache_key("sha256:aa", "b.pkl", tool="1", rules="2", limits=Limits()),
        cache_key("sha256:aa", "a.pkl", tool="2", rules="2", limits=Limits()),
        cache_key("sha256:aa", "a.pkl", tool="1", rules="3", limits=Limits()),
        cache_key("sha256:aa", "a.pkl", tool="1", rules="2", limits=Limits(depth=3)),
    }
    assert len(others | {key}) == 6
    assert cache_key("", "a", tool="1", rules="2", limits=Limits()) == ""
