"""Simulated tools."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.assets.chat import ToolCall
from hauberk.probe.goal import Call
from hauberk.probe.scenarios import ScenarioError, scenarios
from hauberk.probe.scenarios.scenario import arguments_of, read_scenario
from hauberk.probe.seeds import load


@pytest.mark.parametrize("name", sorted(scenarios()))
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_foreign_content_holds_the_payload_and_nothing_of_it_without_one(name: str, lang: str) -> None:
    scenario = scenarios()[name]
    tool = next(tool for tool in scenario.tools if tool.foreign)
    call = ToolCall(tool.name, "{}")
    assert "do it" in scenario.answer(call, lang, "do it")
    assert "{payload}" not in scenario.answer(call, lang)
    for spec in scenario.specs(lang):
        assert spec.description
        assert spec.parameters["type"] == "object"


def test_a_poisoned_description_is_the_first_foreign_tools_only() -> None:
    specs = scenarios()["web"].specs("en", "DO IT")
    assert [spec.name for spec in specs if "DO IT" in spec.description] == ["open_page"]


def test_an_unknown_tool_is_answered_by_an_error_not_by_ok() -> None:
    assert scenarios()["mail"].answer(ToolCall("rm_rf", "{}"), "en").startswith("error")


@given(st.text(max_size=100))
def test_whatever_the_model_writes_as_arguments_is_answered(arguments: str) -> None:
    call = ToolCall("send_email", arguments)
    assert isinstance(arguments_of(call), dict)
    assert scenarios()["mail"].answer(call, "en").startswith("sent to")


def test_an_argument_cannot_fill_another_place() -> None:
    call = ToolCall("send_email", '{"to": "{payload}"}')
    assert scenarios()["mail"].answer(call, "en", "") == "sent to "


@pytest.mark.parametrize("data", [b"[", b"name: x", b"\xff", b"name: x\ntitle: {en: a, zh: b}\nsystem: {en: a, zh: b}\ntools: []"])
def test_a_bad_scenario_is_one_clear_line(data: bytes) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(data, "own.yaml")
    assert "own.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_goal_of_the_agents_bank_can_be_reached_with_its_scenarios_tools() -> None:
    found = list(load(["agents"]))
    attacks = [seed for seed in found if isinstance(seed.goal, Call)]
    assert len(attacks) >= 100
    for seed in attacks:
        assert isinstance(seed.goal, Call)
        tool = next(tool for tool in scenarios()[seed.scenario].tools if tool.name == seed.goal.tool)
        assert set(seed.goal.arguments) <= set(tool.parameters)
        assert seed.twin
