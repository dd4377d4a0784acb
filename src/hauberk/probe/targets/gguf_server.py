"""The child process of a GGUF target: `python -m hauberk.probe.targets.gguf_server MODEL SLOTS THREADS`.

Prints the server's address once it takes requests, and ends when its stdin is closed: nothing is left when the parent has gone.
"""

import sys
from importlib import import_module
from typing import Any

CONTEXT = 4096  # tokens for each slot


def main(path: str, slots: int, threads: int) -> None:
    """Serves until stdin ends."""
    llama: Any = import_module("xllamacpp")  # it has no types
    settings = llama.CommonParams()
    settings.model.path = path
    settings.hostnames = ["127.0.0.1"]
    settings.port = 0
    settings.n_parallel = slots
    settings.n_ctx = CONTEXT * slots
    settings.ui = False
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
    server = llama.Server(settings)
    sys.stdout.write(f"{server.listening_address}/v1\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
