"""`hauberk verify`."""

import sys

import click

from hauberk.assets.quoting import quote
from hauberk.cli.errors import UserError
from hauberk.scan.signing import KeyMaterial, VerifyResult, verify_directory
from hauberk.scan.spool import TargetError

_EXAMPLES = """
\b
Examples:
  hauberk verify ./model --key key.pub
  hauberk verify ./model --chain ca.pem                 certificate mode: the roots you trust
  hauberk verify ./model --key key.pub --only 'adapter_*'   just the adapter: the weights are not read again
  hauberk verify ./tuned --key key.pub --base ./model   which tensors differ from the base model

Exit codes: 0 as signed, 1 something differs, 2 the signature is not good or an error,
3 as signed, and some files were not covered or not looked at.
"""


@click.command("verify", epilog=_EXAMPLES)
@click.argument("folder", type=click.Path())
@click.option("--key", default="", type=click.Path(dir_okay=False), help="Public key, PEM.")
@click.option(
    "--chain", multiple=True, type=click.Path(dir_okay=False), help="Trusted certificates (repeatable): certificate mode."
)
@click.option("--signature", default="", type=click.Path(dir_okay=False), help="Default: FOLDER/model.sig")
@click.option("--base", default="", type=click.Path(), help="A directory or manifest to compare the tensors with.")
@click.option("--only", multiple=True, metavar="GLOB", help="Look at these files only (repeatable).")
@click.option("-f", "--format", "format_", type=click.Choice(("plain", "json")), default="plain")
def command(
    *, folder: str, key: str, chain: tuple[str, ...], signature: str, base: str, only: tuple[str, ...], format_: str
) -> None:
    """Verify a signed model directory, and name every file and tensor that changed."""
    if bool(key) == bool(chain):
        raise UserError("name what to trust: --key PUBLIC_KEY, or --chain CERTIFICATE")
    try:
        keys = KeyMaterial(public_key=key, chain=chain)
        result = verify_directory(folder, keys, signature, base=base, only=only)
    except TargetError as error:
        raise UserError(str(error)) from error
    if format_ == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode({"schema": "hauberk.verify/1", **msgspec.to_builtins(result)})))
    else:
        _show(result)
    sys.exit(1 if not result.intact else 3 if result.ignored or result.unchecked else 0)


def _show(result: VerifyResult) -> None:
    for word, paths in (("changed", result.changed), ("added", result.added), ("missing", result.missing)):
        for path in paths:
            click.echo(f"{word:8} {quote(path, 400)}")
    for before, after in result.renamed:
        click.echo(f"renamed  {quote(before, 400)} -> {quote(after, 400)}")
    for change in result.tensors:
        name = quote(change.name) if change.name else "(bytes outside the tensors)"
        click.echo(f"tensor   {change.how:8} {quote(change.path, 400)}: {name}")
    for path in result.ignored:
        click.echo(f"not covered by the signature: {quote(path, 400)}", err=True)
    if result.unchecked:
        click.echo(f"not looked at (--only): {len(result.unchecked)} files", err=True)
    if result.intact:
        click.echo(f"as signed: {result.files} files")
