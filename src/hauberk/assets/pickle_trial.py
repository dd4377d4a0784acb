"""The trial run behind recognition: does following these bytes as a pickle lead anywhere?"""

import re
import sys
from typing import Final

from hauberk.assets.budget import Budget
from hauberk.assets.errors import ReadError
from hauberk.assets.pickle_machine import Halt
from hauberk.assets.pickle_opcodes import Machine
from hauberk.core import Asset

_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_MODULES: Final = sys.stdlib_module_names | {"__builtin__", "torch", "numpy", "nt", "dill", "sklearn", "joblib", "pandas"}
_SHORT_END: Final = 3  # a stream without globals that ends in fewer bytes than this proves nothing
_SEEN: Final = ("pickle.call", "pickle.build", "pickle.global-computed", "pickle.extension")


def follow(asset: Asset, budget: Budget, *, rounds: int, strict: bool) -> bool:
    """True when STOP is reached, or a call or a plausible global came before the stream broke."""
    machine = Machine(asset, budget)
    machine.depth = 2
    try:
        for _ in range(rounds):
            if not machine.run_some():
                return machine.offset == machine.size or _plausible(machine) or (not strict and machine.offset > _SHORT_END)
    except Halt as halt:
        called = any(getattr(item, "check", "") in _SEEN for item in machine.out)
        cut = halt.kind == "truncated" or b"\0" in machine.content.read(0, 4096)
        # Two words on two lines are a GLOBAL to the eye of the machine: without a magic number it takes a call, or a
        # module that exists and arguments that were cut off.
        return (
            (_plausible(machine) and (called or (cut and _known(machine))))
            if strict
            else (_plausible(machine) or cut or machine.opcode_at > _SHORT_END)
        )
    except ReadError:
        return True
    return True  # tens of thousands of opcodes in a row are no accident


def _known(machine: Machine) -> bool:
    return any(ref.module.partition(".")[0] in _MODULES for ref in machine.refs.values())


def _plausible(machine: Machine) -> bool:
    if any(getattr(item, "check", "") in _SEEN for item in machine.out):
        return all(_MODULE.fullmatch(ref.module) for ref in machine.refs.values())
    return any(_MODULE.fullmatch(ref.module) and _MODULE.fullmatch(ref.name) for ref in machine.refs.values())
