"""A real HTTPS server with a private CA, and a real forward proxy."""

import asyncio
import base64
import contextlib
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from stub_api import completion, sent, serving, told

from hauberk.probe.targets import TargetOptions, open_target
from hauberk.probe.targets.target import Fault, Reply, TargetError

PLAIN = told(body=completion("over TLS"))


def certificate(name: str, key: Any, issuer: tuple[x509.Name, Any] | None = None) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer_name, issuer_key = issuer or (subject, key)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer_name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=1))
    made = made.not_valid_after(now + dt.timedelta(days=1)).add_extension(
        x509.BasicConstraints(issuer is None, None), critical=True
    )
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    made = made.add_extension(authority, critical=False)
    if issuer is None:
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        made = made.add_extension(usage, critical=True)
    else:
        alt = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = made.add_extension(alt, critical=False)
    return made.sign(issuer_key, hashes.SHA256())


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """A server's context, and the file of the CA that vouches for it."""
    folder = tmp_path_factory.mktemp("tls")
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = certificate("Private CA", ca_key)
    leaf = certificate("stub", key, (ca.subject, ca_key))
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "leaf.pem").write_bytes(leaf.public_bytes(pem) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "leaf.pem")
    return context, str(folder / "ca.pem")


@asynccontextmanager
async def proxy(seen: list[bytes], user: str = "") -> AsyncIterator[str]:
    """A forward proxy: CONNECT for https, whole addresses for http."""
    wanted = b"proxy-authorization: basic " + base64.b64encode(user.encode()).lower() if user else b""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            seen.append(head.split(b"\r\n")[0])
            if wanted not in head.lower():
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                await writer.drain()
                writer.close()
                return
            method, where, _ = seen[-1].split(b" ")
            place = where if method == b"CONNECT" else where.split(b"/")[2]
            host, _, port = place.decode().partition(":")
            there, back = await asyncio.open_connection(host, int(port))
            if method == b"CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                back.write(head.replace(where, b"/" + b"/".join(where.split(b"/")[3:]), 1))
            await asyncio.gather(pump(reader, back), pump(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.sleep(0.05)


def over(tls: ssl.SSLContext | None, **options: Any) -> Reply:
    async def go() -> Reply:
        async with serving(PLAIN, tls) as url:
            return await sent(url, **options)

    return asyncio.run(go())


def test_a_private_ca_is_trusted_when_it_is_named(tls: tuple[ssl.SSLContext, str]) -> None:
    assert over(tls[0], ca=tls[1]).text == "over TLS"


def test_a_private_ca_is_not_trusted_otherwise(tls: tuple[ssl.SSLContext, str]) -> None:
    with pytest.raises(TargetError, match=r"certificate is not trusted .*name a private CA's file") as caught:
        over(tls[0])
    assert caught.value.fault is Fault.SETUP


def test_https_to_a_server_that_speaks_http() -> None:
    async def go() -> None:
        async with serving(PLAIN) as url:
            await sent(url.replace("http", "https"))

    with pytest.raises(TargetError, match=r"no TLS connection .*is it https") as caught:
        asyncio.run(go())
    assert caught.value.fault is Fault.SETUP


@pytest.mark.parametrize(("text", "words"), [(None, "No such file"), ("no certificate", "holds no certificate")])
def test_a_ca_that_cannot_be_read(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(TargetError, match=words) as caught:
        open_target("https://h", TargetOptions(ca=str(path)))
    assert caught.value.fault is Fault.SETUP


@pytest.mark.parametrize("secure", [False, True])
def test_a_proxy_is_gone_through(tls: tuple[ssl.SSLContext, str], secure: bool) -> None:  # noqa: FBT001
    seen: list[bytes] = []

    async def go() -> Reply:
        async with proxy(seen) as place, serving(PLAIN, tls[0] if secure else None) as url:
            return await sent(url, proxy=f"http://{place}", ca=tls[1] if secure else "")

    assert asyncio.run(go()).text == "over TLS"
    assert seen[0].startswith(b"CONNECT 127.0.0.1" if secure else b"POST http://127.0.0.1")


@pytest.mark.parametrize("secure", [False, True])
def test_a_proxy_that_wants_a_password(
    tls: tuple[ssl.SSLContext, str],
    monkeypatch: pytest.MonkeyPatch,
    secure: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setenv("PROXY_PASS", "p-secret")

    async def go(user: str) -> Reply:
        async with proxy([], "ann:p-secret") as place, serving(PLAIN, tls[0] if secure else None) as url:
            return await sent(url, proxy=f"http://{user}{place}", ca=tls[1] if secure else "")

    assert asyncio.run(go("ann:${PROXY_PASS}@")).text == "over TLS"
    with pytest.raises(TargetError, match="407") as caught:
        asyncio.run(go(""))
    assert caught.value.fault in {Fault.AUTH, Fault.REJECTED}
    with pytest.raises(TargetError) as caught:
        asyncio.run(go("bob:${PROXY_PASS}@"))
    assert "p-secret" not in str(caught.value)


def test_a_proxy_of_the_environment_is_taken_but_not_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    for name in ("HTTP_PROXY", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

    async def go() -> None:
        async with proxy(seen) as place, serving(PLAIN) as url:
            monkeypatch.setenv("http_proxy", f"http://{place}")
            assert (await sent(url)).text == "over TLS"
            assert seen == []
            with pytest.raises(TargetError):
                await sent("http://model.invalid", timeout=2.0)
            assert seen[0].startswith(b"POST http://model.invalid/v1/chat/completions")
            with pytest.raises(TargetError):
                await sent("http://model.invalid", timeout=2.0, proxy="none")
            assert len(seen) == 1

    asyncio.run(go())


def test_a_proxy_that_is_not_there() -> None:
    with pytest.raises(TargetError, match=r"the proxy 127\.0\.0\.1:9 cannot be reached") as caught:
        over(None, proxy="http://127.0.0.1:9")
    assert caught.value.fault is Fault.CONNECT


@pytest.mark.parametrize("text", ["127.0.0.1:3128", "socks5://h:1", "http://", "http://h:99999"])
def test_a_proxy_that_is_no_address(text: str) -> None:
    with pytest.raises(TargetError, match="the proxy is no address"):
        open_target("http://h/v1", TargetOptions(proxy=text))
