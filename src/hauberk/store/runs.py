"""Runs as rows, and rows as runs."""

import msgspec

from hauberk.core import AssetRecord, Finding, Gap, Run
from hauberk.store.database import Database, Row, Transaction

Remembered = tuple[AssetRecord, tuple[Finding, ...], tuple[Gap, ...]]

encode = msgspec.msgpack.Encoder().encode
decode_remembered = msgspec.msgpack.Decoder(Remembered).decode
_decode_run = msgspec.msgpack.Decoder(Run).decode
_decode_record = msgspec.msgpack.Decoder(AssetRecord).decode
_decode_finding = msgspec.msgpack.Decoder(Finding).decode
_decode_gap = msgspec.msgpack.Decoder(Gap).decode
_decode_targets = msgspec.msgpack.Decoder(tuple[str, ...]).decode

SUMMARY = "id, command, targets, started, ended, complete, exit_code, assets, findings, gaps"


class RunSummary(msgspec.Struct, frozen=True):
    """One line of the list of runs."""

    id: str
    command: str
    targets: tuple[str, ...]
    started: str
    ended: str
    complete: bool
    exit_code: int
    assets: int
    findings: int
    gaps: int


def put_head(transaction: Transaction, run: Run) -> int:
    """Writes what a run is, without its parts; returns its place in the order of runs."""
    head = msgspec.structs.replace(run, assets=(), findings=(), gaps=())
    transaction.do(
        "INSERT INTO runs (id, command, started, ended, complete, exit_code, targets, tool, rules, assets, findings, gaps, head)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET ended = excluded.ended,"
        " complete = excluded.complete, exit_code = excluded.exit_code, tool = excluded.tool, rules = excluded.rules,"
        " assets = excluded.assets, findings = excluded.findings, gaps = excluded.gaps, head = excluded.head",
        *(run.id, run.command, run.started, run.ended, int(run.complete), run.exit_code, encode(run.targets)),
        *(run.versions.tool, run.versions.rules, len(run.assets), len(run.findings), len(run.gaps), encode(head)),
    )
    return transaction.do("SELECT seq FROM runs WHERE id = ?", run.id)[0][0]


def put_parts(transaction: Transaction, run: Run) -> None:
    """Writes a run's assets, findings and gaps."""
    transaction.do_many(
        "INSERT INTO assets VALUES (?, ?, ?, ?, ?, ?)",
        ((run.id, n, a.uri, a.verdict.value, a.digest, encode(a)) for n, a in enumerate(run.assets)),
    )
    transaction.do_many(
        "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?)",
        ((run.id, n, f.fingerprint, f.rule, f.severity.value, f.root, encode(f)) for n, f in enumerate(run.findings)),
    )
    transaction.do_many(
        "INSERT INTO gaps VALUES (?, ?, ?, ?, ?, ?)",
        ((run.id, n, g.fingerprint, g.reason.value, g.root, encode(g)) for n, g in enumerate(run.gaps)),
    )


def drop_parts(transaction: Transaction, run_id: str) -> None:
    """Removes a run's assets, findings and gaps."""
    for table in ("assets", "findings", "gaps"):
        transaction.do(f"DELETE FROM {table} WHERE run = ?", run_id)  # noqa: S608 - names from the line above


def load(database: Database, run_id: str) -> Run:
    """A recorded run. One that never ended is put together from what was recorded on its way. Raises StoreError."""
    with database.decoding():
        run = _decode_run(database.rows("SELECT head FROM runs WHERE id = ?", run_id)[0][0])
        if not run.ended:
            return _on_its_way(database, run)
        return msgspec.structs.replace(
            run,
            assets=tuple(map(_decode_record, _bodies(database, "assets", run_id))),
            findings=tuple(map(_decode_finding, _bodies(database, "findings", run_id))),
            gaps=tuple(map(_decode_gap, _bodies(database, "gaps", run_id))),
        )


def _bodies(database: Database, table: str, run_id: str) -> list[bytes]:
    return [body for (body,) in database.rows(f"SELECT body FROM {table} WHERE run = ? ORDER BY number", run_id)]  # noqa: S608 - our names


def _on_its_way(database: Database, run: Run) -> Run:
    rows = database.rows("SELECT body FROM progress WHERE run = ? ORDER BY uri", run.id)
    seen = [decode_remembered(body) for (body,) in rows]
    return msgspec.structs.replace(
        run,
        complete=False,
        assets=tuple(record for record, _, _ in seen),
        findings=tuple(finding for _, findings, _ in seen for finding in findings),
        gaps=tuple(gap for _, _, gaps in seen for gap in gaps),
    )


def summary(row: Row) -> RunSummary:
    """A row of the columns `SUMMARY`."""
    name, command, targets, started, ended, complete, exit_code, assets, findings, gaps = row
    return RunSummary(name, command, _decode_targets(targets), started, ended, bool(complete), exit_code, assets, findings, gaps)
