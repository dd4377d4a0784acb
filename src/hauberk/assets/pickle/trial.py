"""Recognition by trial: does following these bytes as a pickle lead anywhere? Protocols 0 and 1 have no magic number."""

import re
import sys
from typing import Final

from hauberk.assets.budget import Budget
from hauberk.assets.errors import ReadError
from hauberk.assets.pickle.machine import Halt
from hauberk.assets.pickle.opcodes import Machine
from hauberk.assets.pickle.sniff import binary_start, may_be_pickle, opcode_follows
from hauberk.core import Asset, Content

_TRIAL: Final = 40  # rounds of the machine

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


def looks_like_pickle(content: Content, head: bytes) -> bool:
    """Whether a bounded trial run of the machine reaches STOP, or a call of a plausible global."""
    if not may_be_pickle(head):
        return False
    if head[:1] == b"\x80":
        return binary_start(head) and (opcode_follows(head) or _trial(content, head))
    return _trial(content, head)


def begins_as_pickle(content: Content, head: bytes) -> bool:
    """As `looks_like_pickle`, and also for a stream that breaks after a few good opcodes. For whole files only."""
    return head[:1] == b"\x80" and head[1:2] in {b"\2", b"\3", b"\4", b"\5"} and _trial(content, head, broken=True)


def _trial(content: Content, head: bytes, *, broken: bool = False) -> bool:
    return follow(Asset(uri="trial", content=content), Budget(), rounds=_TRIAL, magic=head[:1] == b"\x80", broken=broken)


# The machine meets pickles inside pickles, and recognises them as everybody else does.
Machine.recognise = staticmethod(looks_like_pickle)
