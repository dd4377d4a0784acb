"""`hauberk audit`."""

import sys
from typing import Any

import click

from hauberk.cli.errors import UserError


@click.group("audit")
def command() -> None:
    """Verify the gateway's audit log, offline, and show what is in it.

    \b
    Examples:
      hauberk audit verify ./audit                         with the public key beside the log
      hauberk audit verify ./audit --key audit.pub         with the key that was kept elsewhere
      hauberk audit verify ./audit --checkpoint old.txt    and against a checkpoint kept elsewhere
      hauberk audit show ./audit --type key                entries, one JSON object a line
      hauberk audit prove ./audit 1041                     proof that an entry is in the log
    """  # noqa: D301 - the backspace is click's


_folder = click.argument("folder", type=click.Path(exists=True, file_okay=False))
_key = click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="TEXT|FILE",
    help="Public key (name+id+base64); once for each log, where the folder holds several. Default: the one beside each log.",
)


@command.command("verify")
@_folder
@_key
@click.option(
    "--checkpoint", "kept", multiple=True, type=click.File("rb"), help="A checkpoint kept elsewhere; the log must agree with it."
)
def verify_command(folder: str, keys: tuple[str, ...], kept: tuple[Any, ...]) -> None:
    """Verify every hash, every link and every signed root; name the first broken entry.

    Exit codes: 0 intact and every entry under a signature, 1 broken, 2 usage error, 3 intact, but the last entries are not
    yet under a signed checkpoint.
    """
    from hauberk.store.audit.errors import AuditError
    from hauberk.store.audit.verify import key_of, public_key, signs, verify

    logs = _logs(folder)
    files = {file.name: file.read() for file in kept}
    foreign = set(files)
    worst = 0
    for log in logs:
        try:
            key = key_of(log, [public_key(log, given) for given in keys or ("",)])
            mine = {name for name, notes in files.items() if len(logs) == 1 or signs(key, notes)}
            made = verify(log, *key, [files[name] for name in sorted(mine)])
        except AuditError as error:
            raise UserError(str(error)) from error
        foreign -= mine
        click.echo(_told(made, of_many=len(logs) > 1 and bool(keys)))
        worst = 1 if worst == 1 or made.broken else max(worst, 0 if made.complete else 3)
    for name in sorted(foreign):
        click.echo(f"{folder}: BROKEN: the checkpoint {name} was signed with the key of none of these logs")
        worst = 1
    sys.exit(worst)


@command.command("show")
@_folder
@click.option("--type", "kind", help="Only entries of this type: request, key, approval, anomaly, log.")
@click.option("--format", "form", type=click.Choice(("json", "ocsf")), default="json", help="Default: json, as they are kept.")
def show_command(folder: str, kind: str | None, form: str) -> None:
    """Write the entries as lines of JSON; each is checked against its own hash, the chain is not (see verify)."""
    from hauberk.store.audit.entry import decoded
    from hauberk.store.audit.segments import all_lines, segments

    for log in _logs(folder):
        for line in all_lines(log):
            if not line.whole and line.segment == segments(log)[-1]:
                click.echo(f"hauberk: {log}/{line.segment}, byte {line.offset}: a line that has no end yet is left out", err=True)
                break
            try:
                entry, _ = decoded(line.data)
            except ValueError as error:
                click.echo(f"hauberk: {log}/{line.segment}, byte {line.offset}: {error}", err=True)
                sys.exit(1)
            if kind in {None, entry.type}:
                click.echo(_shown(entry, line.data, form))


@command.command("prove")
@_folder
@click.argument("seq", type=click.IntRange(0))
def prove_command(folder: str, seq: int) -> None:
    """Write the inclusion proof (RFC 6962) of entry SEQ under the newest checkpoint, as JSON."""
    import base64

    import msgspec

    from hauberk.store.audit.errors import AuditError
    from hauberk.store.audit.proof import proof_of

    try:
        proof = proof_of(folder, seq)
    except AuditError as error:
        raise UserError(str(error)) from error
    shown = {
        "entry": proof.entry,
        "seq": seq,
        "size": proof.size,
        "root": base64.b64encode(proof.root).decode(),
        "path": [base64.b64encode(node).decode() for node in proof.path],
        "checkpoint": proof.checkpoint,
    }
    click.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2))


def _logs(folder: str) -> list[str]:
    from hauberk.store.audit.errors import AuditError
    from hauberk.store.audit.verify import logs_in

    try:
        logs = logs_in(folder)
    except (AuditError, OSError) as error:
        raise UserError(f"{folder}: cannot be read: {error}") from error
    if not logs:
        raise UserError(f"{folder}: holds no audit log (no audit-00000001.log here or one folder below)")
    return logs


def _told(made: Any, *, of_many: bool) -> str:
    if made.broken:
        hint = "; each log here has a key of its own, so give --key once for each" if of_many and not made.entries else ""
        return f"{made.folder}: BROKEN at entry {made.broken.seq} ({made.broken.where}): {made.broken.why}{hint}"
    rest = made.entries - made.covered
    words = f"{made.folder}: {made.entries} entries intact, {made.covered} under {made.checkpoints} signed checkpoints"
    if rest:
        words += f"; the last {rest} are chained but not yet under a signature"
    if made.entries and not made.checkpoints:
        words += " (no checkpoint is there: nothing proves that these are the entries that were written)"
    if made.torn:
        words += f"; {made.torn} bytes of a write that was never acknowledged follow"
    return words


def _shown(entry: Any, line: bytes, form: str) -> str:
    if form == "json":
        return line[65:].decode("utf-8", "replace")
    import msgspec

    from hauberk.guard.telemetry.ocsf import event_of

    return msgspec.json.encode(event_of(entry)).decode()
