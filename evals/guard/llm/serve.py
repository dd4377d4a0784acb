"""An OpenAI-compatible server for one GGUF on loopback, on xllamacpp. Run it with the Python of `.cache/llm/venv`.

    .cache/llm/venv/bin/python evals/guard/llm/serve.py MODEL.gguf [PORT [THREADS]]

Prints `http://127.0.0.1:PORT/v1` once it takes requests; ends on SIGTERM, SIGINT, or when its stdin is closed.
"""

import os
import signal
import sys
import threading

import xllamacpp


def main() -> None:
    path, port = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
    # On a busy machine one thread is many times faster than two, which wait for each other by spinning.
    threads = int(sys.argv[3]) if len(sys.argv) > 3 else min(4, os.cpu_count() or 1)
    settings = xllamacpp.CommonParams()
    settings.model.path = path
    settings.hostnames = ["127.0.0.1"]
    settings.port = port
    settings.n_parallel = 2
    settings.n_ctx = 4096
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(settings)
    print(f"{server.listening_address}/v1", flush=True)
    if not sys.stdin.isatty():
        # Whoever started this has gone when the pipe is closed; nothing is left running then.
        threading.Thread(target=lambda: (sys.stdin.read(), os.kill(os.getpid(), signal.SIGTERM)), daemon=True).start()
    signal.sigwait([signal.SIGINT, signal.SIGTERM])


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
    main()
