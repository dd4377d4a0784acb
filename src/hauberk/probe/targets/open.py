"""From what the user writes to a target."""

from hauberk.probe.targets.model_api import ModelApi
from hauberk.probe.targets.openai_chat import OpenAIChat
from hauberk.probe.targets.options import TargetOptions
from hauberk.probe.targets.target import Fault, Target, TargetError


def open_target(spec: str, options: TargetOptions | None = None) -> Target:
    """The target that `spec` names. Nothing is sent yet.

    Raises:
        TargetError: SETUP, when it cannot work at all.
    """
    options = options or TargetOptions()
    if spec.startswith(("http://", "https://")):
        return ModelApi(spec, options, OpenAIChat())
    raise TargetError(Fault.SETUP, f"target {spec!r} is not of a known kind")
