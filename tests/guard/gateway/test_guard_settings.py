from pathlib import Path

import pytest

from hauberk.guard.gateway.upstream.directory import Directory
from hauberk.guard.settings import Api, guard_settings, load_guard_settings
from hauberk.policy.errors import PolicyError

UP = {"name": "u", "base-url": "http://127.0.0.1:1/v1"}

WRONG = {
    "listen": {"listen": "nowhere"},
    "port": {"listen": "127.0.0.1:70000"},
    "unknown": {"lisen": "x:1"},
    "type": {"workers": "two"},
    "workers": {"workers": 0},
    "network": {"trusted-proxies": ["10.0.0.0/99"]},
    "url": {"upstream": [{**UP, "base-url": "ftp://x/v1"}]},
    "url-user": {"upstream": [{**UP, "base-url": "http://u:p@x/v1"}]},
    "url-break": {"upstream": [{**UP, "base-url": "http://x/v1\r\nHost: y"}]},
    "proxy": {"upstream": [{**UP, "proxy": "socks5://x:1"}]},
    "twice": {"upstream": [UP, UP]},
    "key": {"upstream": [{**UP, "key-env": "HAUBERK_NO_SUCH_VARIABLE"}]},
    "nan": {"deadlines": {"header": float("nan")}},
    "zero": {"bounds": {"body": 0}},
    "target": {"upstream": [UP], "model": [{"name": "m", "to": [{"upstream": "v"}]}]},
    "nowhere": {"upstream": [UP], "model": [{"name": "m", "to": []}]},
    "weight": {"upstream": [UP], "model": [{"name": "m", "to": [{"upstream": "u", "weight": 0.0}]}]},
    "tls": {"tls-certificate": "x.pem"},
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_settings_say_in_one_line_what_is_wrong(name: str) -> None:
    with pytest.raises(PolicyError) as error:
        guard_settings(WRONG[name])
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("guard")


def test_settings_are_read_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hauberk.toml"
    file.write_text(
        '[guard]\nlisten = "[::1]:9000"\n[[guard.upstream]]\nname = "u"\nbase-url = "https://x/v1"\napi = "anthropic"\n'
    )
    settings = load_guard_settings(file)
    assert settings.address == ("::1", 9000)
    assert settings.upstream[0].api is Api.ANTHROPIC
    file.write_text("[guard]\nlisten = 7\n")
    with pytest.raises(PolicyError, match=r"hauberk\.toml"):
        load_guard_settings(file)
    assert load_guard_settings(None).upstream == ()


def test_weights_share_out_and_tiers_order() -> None:
    ups = [{**UP, "name": name} for name in "abc"]
    to = [{"upstream": "a", "weight": 3.0}, {"upstream": "b"}, {"upstream": "c", "tier": 1}]
    directory = Directory(guard_settings({"upstream": ups, "model": [{"name": "m", "to": to}]}))
    firsts = [directory.candidates("m", Api.OPENAI) for _ in range(2000)]
    share = sum(order[0].upstream.name == "a" for order in firsts) / len(firsts)
    assert 0.68 < share < 0.82
    assert {order[2].upstream.name for order in firsts} == {"c"}
    directory.upstreams["a"].healthy = False
    assert directory.candidates("m", Api.OPENAI)[2].upstream.name == "a"
    assert directory.candidates("m", Api.ANTHROPIC) == []
    assert directory.candidates("other", Api.OPENAI) == []
