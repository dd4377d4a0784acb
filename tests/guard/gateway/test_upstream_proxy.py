"""Upstreams behind an HTTP proxy and behind TLS with a private authority."""

import datetime as dt
import socket
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gateway_harness import NewGateway, NewUpstream, good


def test_requests_go_through_the_proxy_by_connect(new_upstream: NewUpstream, new_gateway: NewGateway) -> None:
    def proxy(conn: socket.socket, request: bytes) -> None:
        if request.startswith(b"CONNECT"):
            conn.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            good(conn, request)

    tunnel = new_upstream(proxy)
    entry = {"name": "u", "base-url": "http://models.invalid:8080/v1", "models": ["m"]}
    gateway = new_gateway({"upstream": [{**entry, "proxy": f"http://user:pa%20ss@127.0.0.1:{tunnel.port}"}]})
    assert gateway.chat().status == 200
    assert tunnel.requests[0].startswith(b"CONNECT models.invalid:8080 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjpwYSBzcw==" in tunnel.requests[0]
    assert b"host: models.invalid:8080" in tunnel.requests[1]
    assert b"Proxy-Authorization" not in tunnel.requests[1]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 407 No\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nearly", b"", b"x" * 20_000])
def test_a_proxy_that_refuses(new_upstream: NewUpstream, new_gateway: NewGateway, answer: bytes) -> None:
    def proxy(conn: socket.socket, request: bytes) -> None:
        conn.sendall(answer)
        conn.shutdown(socket.SHUT_RDWR)

    tunnel = new_upstream(proxy)
    entry = {"name": "u", "base-url": "http://models.invalid/v1", "models": ["m"], "proxy": f"http://127.0.0.1:{tunnel.port}"}
    assert new_gateway({"upstream": [entry], "retries": {"most": 0}}).chat().status == 502


def certificate(folder: Path) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return str(files[0]), str(files[1])


def test_tls_on_both_sides_and_a_stranger_is_not_trusted(
    new_upstream: NewUpstream, new_gateway: NewGateway, tmp_path: Path
) -> None:
    cert, key = certificate(tmp_path)
    inner = new_gateway(
        {"upstream": [{"name": "u", "base-url": new_upstream().url, "models": ["m"]}], "tls-certificate": cert, "tls-key": key}
    )
    entry = {"name": "u", "base-url": f"https://localhost:{inner.port}/v1", "models": ["m"], "proxy": "none"}
    trusting = new_gateway({"upstream": [{**entry, "ca-file": cert}]})
    assert trusting.chat().status == 200
    assert trusting.chat(stream=True).events()[-1] == "[DONE]"
    doubting = new_gateway({"upstream": [entry], "retries": {"most": 0}})
    assert doubting.chat().status == 502
    assert "TLS" in doubting.recorder.records[0].error
