"""`hauberk sign`."""

import click

from hauberk.cli.errors import UserError

_EXAMPLES = """
\b
Examples:
  openssl ecparam -name prime256v1 -genkey -noout -out key.pem
  openssl ec -in key.pem -pubout -out key.pub
  hauberk sign ./model --key key.pem
  hauberk sign ./model --key key.pem --certificate cert.pem --chain ca.pem

The signature (model.sig) is an OpenSSF model signature: `model_signing verify` reads it too.
"""


@click.command("sign", epilog=_EXAMPLES)
@click.argument("folder", type=click.Path())
@click.option("--key", required=True, type=click.Path(dir_okay=False), help="Private key, PEM (elliptic curve).")
@click.option("--password", envvar="HAUBERK_KEY_PASSWORD", default="", help="Of the key; better in HAUBERK_KEY_PASSWORD.")
@click.option("--certificate", default="", type=click.Path(dir_okay=False), help="Signing certificate, PEM: certificate mode.")
@click.option("--chain", multiple=True, type=click.Path(dir_okay=False), help="Intermediate and root certificates (repeatable).")
@click.option("--signature", default="", type=click.Path(dir_okay=False), help="Default: FOLDER/model.sig")
def command(*, folder: str, key: str, password: str, certificate: str, chain: tuple[str, ...], signature: str) -> None:
    """Sign a model directory, with a manifest of every tensor.

    Writes hauberk.manifest.json (SHA-256 of every file, BLAKE3 of every tensor) and the signature that covers it and all else.
    """
    from hauberk.scan.signing import KeyMaterial, sign_directory
    from hauberk.scan.spool import TargetError

    try:
        keys = KeyMaterial(private_key=key, password=password, certificate=certificate, chain=chain)
        signed = sign_directory(folder, keys, signature)
    except TargetError as error:
        raise UserError(str(error)) from error
    click.echo(f"signed {signed.files} files with {signed.tensors} tensors: {signed.signature}")
    if signed.ignored:
        click.echo(f"not covered: {len(signed.ignored)} files under .git", err=True)
