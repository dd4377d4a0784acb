"""Models that tell attacks on a language model, and requests for harm, from ordinary messages."""

from hauberk.detect.prompt.judge import PromptJudge, judge
from hauberk.detect.prompt.judgement import Judgement, Span

__all__ = ["Judgement", "PromptJudge", "Span", "judge"]
