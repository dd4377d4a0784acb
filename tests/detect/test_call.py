"""The capability map, and the engine that judges calls by it."""

import pytest

from hauberk.core import Asset, Fact, Finding, Kind
from hauberk.detect.capability import Capability, classify
from hauberk.detect.engines.call import compile_rules
from hauberk.detect.errors import RuleError
from hauberk.rules import load_pack

RULES = load_pack().by_id


@pytest.mark.parametrize(
    ("module", "name", "capability"),
    [
        ("os", "system", "execute"),
        ("os", "remove", "write"),
        ("os", "listdir", "read"),
        ("", "os.system", "execute"),
        ("", "os", "execute"),
        ("__builtin__", "eval", "execute"),
        ("builtins", "getattr", "attribute"),
        ("collections", "OrderedDict", "data"),
        ("numpy.core.multiarray", "_reconstruct", "data"),
        ("numpy._core.multiarray", "_reconstruct", "data"),
        ("numpy.f2py.crackfortran", "myeval", "execute"),
        ("sklearn.svm._classes", "SVC", "data"),
        ("sklearn.svm._classes", "lower_case", "unknown"),
        ("sklearn.svm._classes", "SVC.__init__.__globals__", "execute"),
        ("torch.nn.modules.linear", "Linear", "data"),
        ("", "torch.nn.modules.linear.Linear", "data"),
        ("torch", "load", "unpickle"),
        ("torch.hub", "load_state_dict_from_url", "network"),
        ("requests", "get", "network"),
        ("importlib", "import_module", "import"),
        ("acme.os.model", "Net", "unknown"),
        ("acme", "Net", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_classify(module: str, name: str, capability: str) -> None:
    assert classify(module, name) == Capability(capability)


def judged(rule: str, **attrs: str) -> list[Finding]:
    fact = Fact("pickle.call", "n", quote="q", attrs=dict(attrs))
    asset = Asset(uri="x", kind=Kind.MODEL, facts=(fact,))
    return [item for item in compile_rules([RULES[rule]])(asset) if isinstance(item, Finding)]


def test_engine_goes_by_capability() -> None:
    assert judged("pickle-executes-code", module="os", name="system")
    assert not judged("pickle-executes-code", module="collections", name="OrderedDict")


def test_reader_knows_better() -> None:
    assert not judged("pickle-executes-code", module="os", name="system", capability="data")
    assert judged("pickle-executes-code", module="os", name="system", capability="no such thing")


def test_bad_match_is_refused() -> None:
    import msgspec

    broken = msgspec.structs.replace(RULES["pickle-executes-code"], match={"checks": ["x"], "capabilities": ["fly"]})
    with pytest.raises(RuleError, match="pickle-executes-code"):
        compile_rules([broken])
