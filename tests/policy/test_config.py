from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.core import Admission, Confidence, Severity
from hauberk.policy import DEFAULT_POLICY, PolicyError
from hauberk.policy.config import Config, config_in_target, find_config, load_config, unknown_names

FULL = """
[policy]
fail-on = "block"

[[policy.entry]]
admit = "block"
kinds = ["model", "tensors"]
stages = ["model"]
risks = ["licence-risk"]
min-severity = "low"
min-confidence = "high"

[[policy.entry]]
admit = "block"
gaps = ["encrypted"]

[[suppress]]
reason = "Reviewed"
owner = "sec@example.org"
expires = 2026-12-31
rule = "pickle-call"
asset = "models/*.pkl"

[limits]
depth = 3
seconds = 5.5

[scan]
exclude = ["*.md"]
hash = false
store = "sqlite:///audit.db"
"""


def write(folder: Path, text: str, name: str = "hauberk.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_everything_that_can_be_written(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, FULL))
    first, second = config.policy.entries[:2]
    assert config.policy.fail_on == Admission.BLOCK
    assert (first.min_severity, first.min_confidence, first.kinds) == (Severity.LOW, Confidence.HIGH, ("model", "tensors"))
    assert second.gaps == ("encrypted",)
    assert config.policy.entries[2:] == DEFAULT_POLICY.entries
    assert config.policy.suppressions[0].expires == "2026-12-31"
    assert (config.limits.depth, config.limits.seconds, config.limits.members) == (3, 5.5, 50_000)
    assert (config.scan.exclude, config.scan.hash, config.scan.store) == (("*.md",), False, "sqlite:///audit.db")
    assert config.source.endswith("hauberk.toml")


def test_no_file_is_the_default() -> None:
    assert load_config(None) == Config()


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, "")).policy == DEFAULT_POLICY


def test_the_defaults_can_be_replaced(tmp_path: Path) -> None:
    text = '[policy]\nreplace-defaults = true\n[[policy.entry]]\nadmit = "hold"\n'
    assert len(load_config(write(tmp_path, text)).policy.entries) == 1


def test_pyproject(tmp_path: Path) -> None:
    path = write(tmp_path, '[project]\nname = "x"\n[tool.hauberk.policy]\nfail-on = "block"\n', "pyproject.toml")
    assert load_config(path).policy.fail_on == Admission.BLOCK
    assert find_config(tmp_path) == path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[polcy]", "polcy: unknown key; remove it"),
        ('[policy]\nfail_on = "hold"', "policy.fail_on: unknown key"),
        ('[policy]\nfail-on = "warn"', "policy.fail-on: invalid enum value 'warn'"),
        ('[policy]\nfail-on = "admit"', "policy.fail-on: 'admit' would fail every run"),
        ("[policy]\nreplace-defaults = true", "policy.replace-defaults: leaves no entry at all"),
        ('[[policy.entry]]\nkinds = ["model"]', "policy.entry[0]: object missing required field `admit`"),
        ('[[policy.entry]]\nadmit = "hold"\nkinds = ["pickle"]', "policy.entry[0].kinds: 'pickle' is none of model, tensors"),
        ('[[policy.entry]]\nadmit = "hold"\nstages = ["prod"]', "policy.entry[0].stages: 'prod' is none of"),
        ('[[policy.entry]]\nadmit = "hold"\ngaps = ["locked"]', "policy.entry[0].gaps: 'locked' is none of"),
        ('[[policy.entry]]\nadmit = "hold"\ngaps = ["stale"]\nrules = ["x"]', "policy.entry[0]: a row with gaps judges gaps only"),
        ('[[suppress]]\nowner = "a"\nexpires = "2026-01-01"\nrule = "x"', "suppress[0]: object missing required field `reason`"),
        ('[[suppress]]\nreason = "a"\nowner = "a"\nexpires = 2026-01-01', "suppress[0]: a suppression selects nothing"),
        ('[[suppress]]\nreason = " "\nowner = "a"\nexpires = 2026-01-01\nrule = "x"', "needs a reason and an owner"),
        ('[[suppress]]\nreason = "a"\nowner = "a"\nexpires = "soon"\nrule = "x"', "'soon' is not a date; write 2026-12-31"),
        ("[limits]\ndepth = 0", "limits.depth: must be more than 0"),
        ("[limits]\nseconds = nan", "limits.seconds: must be more than 0"),
        ('[limits]\ndepth = "deep"', "limits.depth: expected `int`, got `str`"),
        ("[scan]\nhash = 1", "scan.hash: expected `bool`, got `int`"),
        ('"a\\nb" = 1', r"a\nb: unknown key"),
        ("= nonsense", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(PolicyError) as caught:
        load_config(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert said in message
    assert "\n" not in message


def test_unreadable(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read: no such file"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(PolicyError, match="cannot be read: is a directory"):
        load_config(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9")
    with pytest.raises(PolicyError, match="not UTF-8 text at byte 5"):
        load_config(tmp_path / "latin.toml")


@given(st.text(max_size=60))
def test_any_text_loads_or_is_refused(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "hauberk.toml")
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        said = ""
        try:
            load_config(path)
        except PolicyError as error:
            said = str(error)
        assert not said or said.startswith(f"{path}: ")


def test_found_here_or_at_the_top_of_the_checkout(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    planted = write(tmp_path, "")
    assert find_config(inner) is None, "outside a checkout, a parent folder may be anybody's"
    assert find_config(tmp_path) == planted
    (tmp_path / ".git").mkdir()
    assert find_config(inner) == planted
    own = write(inner, "")
    assert find_config(inner) == own


def test_a_pyproject_without_a_table_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "[project]\n", "pyproject.toml")
    assert find_config(tmp_path) is None
    write(tmp_path, "not toml", "pyproject.toml")
    assert find_config(tmp_path) is None


def test_names_that_do_not_exist_are_told(tmp_path: Path) -> None:
    text = FULL + '\n[[suppress]]\nreason = "r"\nowner = "o"\nexpires = 2026-12-31\nrule = "gap:encrypted"\n'
    policy = load_config(write(tmp_path, text)).policy
    assert unknown_names(policy, rules=["pickle-call"], risks=["licence-risk"]) == []
    assert [line.partition(",")[0] for line in unknown_names(policy, rules=[], risks=[])] == [
        "the policy names the risk 'licence-risk'",
        "the policy names the rule 'pickle-call'",
    ]


def test_a_configuration_inside_what_is_scanned_is_told(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, ""))
    assert "check who wrote it" in config_in_target(config, [str(tmp_path)])
    assert config_in_target(config, [str(tmp_path / "models"), "https://example.org"]) == ""
    assert config_in_target(Config(), [str(tmp_path)]) == ""
