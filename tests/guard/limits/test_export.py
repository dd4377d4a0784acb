"""Limits written for nftables, HAProxy and nginx, checked by those programs."""

import os
import re
import shutil
import subprocess
from ipaddress import IPv6Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.guard.limits.export import IPV6_PREFIX, IPV6_PREFIX_OF_ZEROS, Front, haproxy, nftables, nginx
from hauberk.guard.limits.settings import LimitSettings

FRONTS = [Front(), Front(port=443, upstream="[::1]:9000", source_connections=1, source_rate=1, name="llm_gate", tls=True)]
LIMITS = [LimitSettings(), LimitSettings(source_requests=None, concurrency=None), LimitSettings(source_requests=3)]


def checked(program: str, *arguments: str) -> None:
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"{program} is not installed")
    result = subprocess.run([path, *arguments], check=False, capture_output=True, text=True, timeout=60)
    if "not permitted" in result.stderr:
        pytest.skip(f"{program} may not be used here: {result.stderr.strip()}")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("front", FRONTS)
def test_nft_takes_the_table(front: Front, tmp_path: Path) -> None:
    (tmp_path / "table.nft").write_text(nftables(front))
    checked("nft", "-c", "-f", str(tmp_path / "table.nft"))


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("limits", LIMITS)
def test_haproxy_takes_the_frontend(front: Front, limits: LimitSettings, tmp_path: Path) -> None:
    (tmp_path / "haproxy.cfg").write_text(haproxy(front, limits))
    checked("haproxy", "-c", "-q", "-f", str(tmp_path / "haproxy.cfg"))


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("limits", LIMITS)
def test_nginx_takes_the_server(front: Front, limits: LimitSettings, tmp_path: Path) -> None:
    config = f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{nginx(front, limits)}\n}}\n"
    (tmp_path / "nginx.conf").write_text(config)
    checked("nginx", "-t", "-q", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"))


@pytest.mark.parametrize(
    "front",
    [
        Front(name="x; flush ruleset"),
        Front(upstream="127.0.0.1:1;\nuser root"),
        Front(upstream="nowhere"),
        Front(name="x\n"),
        Front(upstream="127.0.0.1:1\n"),
        Front(port=0),
        Front(source_rate=0),
    ],
)
def test_values_that_would_break_out_are_refused(front: Front) -> None:
    for write in (lambda: nftables(front), lambda: haproxy(front, LimitSettings()), lambda: nginx(front, LimitSettings())):
        with pytest.raises(ValueError, match=r"\w"):
            write()


_GROUPS = st.lists(st.sampled_from((0, 1, 0x20, 0xFFFF)), min_size=4, max_size=4)


@given(_GROUPS, st.lists(_GROUPS, min_size=1, max_size=20))
def test_regression_prefixes_with_zeros_let_a_subscriber_be_many_sources(prefix: list[int], halves: list[list[int]]) -> None:
    """`2001:db8::1:2:3:4` is of 2001:db8:0:0::/64, whatever stands in its second half; a prefix has three spellings at most."""
    sources: set[str] = set()
    for half in halves:
        text = str(IPv6Address(b"".join(group.to_bytes(2, "big") for group in prefix + half)))
        found = next(filter(None, (re.search(one.replace("?<", "?P<"), text) for one in (IPV6_PREFIX, IPV6_PREFIX_OF_ZEROS))), None)
        assert found, text
        sources.add(found["prefix"])
    assert len(sources) <= 3


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_gets_past_the_check_with_a_line_of_its_own(name: str, upstream: str) -> None:
    try:
        Front(name=name, upstream=upstream).check()
    except ValueError:
        return
    assert not set(name + upstream) & set("\n\r;{} \"'")
