"""Tokens in a sliding window: never over the limit, debts repaid, nothing lost."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hauberk.guard.limits.window import TokenWindow

WINDOW = 60.0


class Honest(RuleBasedStateMachine):
    """Answers no longer than their reservation: every window of every length of 60 s holds at most the limit."""

    @initialize(limit=st.integers(1, 5_000))
    def start(self, limit: int) -> None:
        self.limit = limit
        self.window = TokenWindow(limit)
        self.now = 1_000.0
        self.open: list[tuple[float, int, int]] = []
        self.prompts: list[tuple[float, int]] = []
        self.outputs: list[tuple[float, float, int]] = []  # begin, end, tokens

    @rule(seconds=st.floats(0, 90))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(prompt=st.integers(0, 3_000), output=st.integers(0, 3_000))
    def admit(self, prompt: int, output: int) -> None:
        if self.window.wait(prompt + output, self.now) == 0:
            self.window.take(prompt, output, self.now)
            self.prompts.append((self.now, prompt))
            self.open.append((self.now, prompt, output))

    @precondition(lambda self: self.open)
    @rule(pick=st.randoms(use_true_random=False), share=st.floats(0, 1))
    def settle(self, pick: object, share: float) -> None:
        begin, _, output = self.open.pop(pick.randrange(len(self.open)))  # type: ignore[attr-defined]
        used = int(output * share)
        self.window.end(output, used, self.now)
        self.outputs.append((begin, self.now, used))

    @rule()
    def ask_what_it_takes(self) -> None:
        """The time that `wait` names is enough, once nothing is under way."""
        if self.open:
            return
        need = min(self.limit, 100)
        wait = self.window.wait(need, self.now)
        assert 0 <= wait < math.inf
        self.now += wait + 1e-6
        assert self.window.wait(need, self.now) == 0

    @invariant()
    def never_over(self) -> None:
        if not hasattr(self, "window"):
            return
        assert self.window.counted <= self.limit
        assert self.window.debt == 0
        # Worst attribution: all of an answer's tokens made at whichever moment of its life falls into the window.
        for end in {self.now, *(at for at, _ in self.prompts[-5:]), *(end for _, end, _ in self.outputs[-5:])}:
            begin = end - WINDOW
            spent = sum(n for at, n in self.prompts if begin < at <= end)
            made = sum(n for first, last, n in self.outputs if last > begin and first <= end)
            assert spent + made <= self.limit


class Overrun(RuleBasedStateMachine):
    """Answers of any length: nothing is lost, debt stops admission, and the mean over time keeps to the limit."""

    @initialize(limit=st.integers(10, 1_000))
    def start(self, limit: int) -> None:
        self.limit = limit
        self.window = TokenWindow(limit)
        self.begin = self.now = 1_000.0
        self.open: list[int] = []
        self.total = 0

    @rule(seconds=st.floats(0, 200))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(prompt=st.integers(0, 500), output=st.integers(0, 500))
    def admit(self, prompt: int, output: int) -> None:
        debt = self.window.left(self.now) == 0
        if self.window.wait(prompt + output, self.now) == 0:
            assert not debt or prompt + output == 0
            self.window.take(prompt, output, self.now)
            self.total += prompt
            self.open.append(output)

    @precondition(lambda self: self.open)
    @rule(used=st.integers(0, 3_000))
    def settle(self, used: int) -> None:
        self.window.end(self.open.pop(), used, self.now)
        self.total += used

    @invariant()
    def conserved(self) -> None:
        if not hasattr(self, "window"):
            return
        assert self.window.counted <= self.limit
        assert self.window.debt >= 0
        counted_ever = self.total - self.window.debt
        windows = (self.now - self.begin) / WINDOW + 1
        assert counted_ever <= self.limit * windows + self.limit / 60
        if not self.open and self.now == self.begin:
            assert self.window.recent(self.now) + self.window.debt == self.total


TestHonest = Honest.TestCase
TestHonest.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestOverrun = Overrun.TestCase
TestOverrun.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_a_debt_is_carried_over_windows_until_it_is_repaid() -> None:
    window = TokenWindow(100)
    window.take(0, 10, 0.0)
    window.end(10, 350, 0.0)
    assert (window.counted, window.debt) == (100, 250)
    assert window.left(61.5) == 0
    assert window.debt == 150
    assert window.left(123.0) == 0
    assert window.debt == 50
    assert window.left(184.5) == 50
    assert window.debt == 0


def test_a_request_over_the_limit_never_passes() -> None:
    assert TokenWindow(100).wait(101, 0.0) == math.inf


def test_refunds_go_back_to_their_own_slot() -> None:
    window = TokenWindow(100)
    window.take(80, 0, 10.0)
    window.refund(30, 10.0, 20.0)
    assert window.left(20.0) == 50
    window.refund(30, 10.0, 200.0)  # long expired: nothing to give back
    assert window.left(200.0) == 100
    window.refund(1_000, 199.0, 200.0)
    assert window.left(200.0) == 100


def test_a_lower_limit_holds_at_once_and_what_was_spent_stays_spent() -> None:
    window = TokenWindow(100)
    window.take(60, 0, 0.0)
    window.retarget(50)
    assert window.left(1.0) == 0
    window.retarget(200)
    assert window.left(1.0) == 140


@given(st.lists(st.floats(-1e4, 1e4), max_size=20))
def test_a_clock_that_goes_back_frees_nothing(jumps: list[float]) -> None:
    window = TokenWindow(10)
    now = 100_000.0
    window.take(10, 0, now)
    for jump in jumps:
        assert window.left(now + min(jump, 59.0)) == 0


@pytest.mark.parametrize("output", [0, 500, 1_000])
def test_regression_burst_of_200_requests_admits_no_more_than_the_limit(output: int) -> None:
    """Peers that count afterwards admit ten times the limit (LiteLLM#18730)."""
    window, admitted = TokenWindow(100_000), 0
    for _ in range(200):
        if window.wait(5_000, 1.0) == 0:
            window.take(4_000, 1_000, 1.0)
            admitted += 1
    for _ in range(admitted):
        window.end(1_000, output, 5.0)
    assert admitted * 5_000 <= 100_000
    assert admitted == 20
