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


def follow(asset: Asset, budget: Budget, *, rounds: int, magic: bool, broken: bool = False) -> bool:
    """True when STOP is reached, or a call or a plausible global came before the stream broke.

    `magic`: the first byte is PROTO, so less is asked of the rest. `broken`: a few good opcodes are enough.
    """
    machine = Machine(asset, budget)
    machine.depth = 2
    try:
        for _ in range(rounds):
            if not machine.run_some():
                return machine.offset == machine.size or _plausible(machine) or (magic and machine.offset > _SHORT_END)
    except Halt as halt:
        if broken and (halt.kind == "truncated" or machine.opcode_at > _SHORT_END):
            return True
        return _plausible(machine) and (magic or _called(machine) or _cut_off(machine, halt))
    except ReadError:
        return True
    return True  # tens of thousands of opcodes in a row are no accident


def _called(machine: Machine) -> bool:
    return any(getattr(item, "check", "") in _SEEN for item in machine.out)


def _cut_off(machine: Machine, halt: Halt) -> bool:
    """Two words on two lines are a GLOBAL to the machine: it takes a module that exists and arguments that are no text."""
    binary = halt.kind == "truncated" or b"\0" in machine.content.read(0, 4096)
    return binary and any(ref.module.partition(".")[0] in _MODULES for ref in machine.refs.values())


def _plausible(machine: Machine) -> bool:
    if _called(machine):
        return all(_MODULE.fullmatch(ref.module) for ref in machine.refs.values())
    return any(_MODULE.fullmatch(ref.module) and _MODULE.fullmatch(ref.name) for ref in machine.refs.values())
