"""Two gateways that share a limit through a real Redis."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from guard_process import NewGuard, cli, config, until
from scripted_model import Model

sys.path.insert(0, str(Path(__file__).parent.parent / "limits"))

from redis_server import RedisServer

LIMIT = 12


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


def test_two_gateways_admit_no_more_than_one_limit(new_guard: NewGuard, model: Model, redis: RedisServer, tmp_path: Path) -> None:
    limits = "[guard.limits]\nsource-requests = 100000\nadaptive = false\nqueue = { wait = 5.0 }\n"
    shared = f'{limits}shared = {{ url = "{redis.url}", replicas = 2 }}\n'
    text = config(model.url, more=f'{shared}[guard.keys]\nstore = "{tmp_path}/keys.db"\n[guard.detect]\nenabled = false\n')
    guards = [new_guard(text), new_guard(text)]
    create = ("guard", "keys", "create", "--name", "k", "--requests", str(LIMIT))
    token = cli(*create, cwd=guards[0].folder).strip()
    until(lambda: all(guard.get("/v1/models", authorization=f"Bearer {token}").status == 200 for guard in guards))

    def ask(number: int) -> int:
        return guards[number % 2].chat(key=token).status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(ask, range(3 * LIMIT)))
    assert set(statuses) <= {200, 429}
    assert 1 <= statuses.count(200) <= LIMIT
    assert {guard.stop() for guard in guards} == {0}
    assert "Traceback" not in "".join(guard.said for guard in guards)


def test_a_key_revoked_at_one_gateway_is_closed_at_the_other(
    new_guard: NewGuard, model: Model, redis: RedisServer, tmp_path: Path
) -> None:
    shared = f'[guard.limits]\nsource-requests = 100000\nshared = {{ url = "{redis.url}", replicas = 2 }}\n'
    text = config(model.url, more=f'{shared}[guard.keys]\nstore = "{tmp_path}/keys.db"\n[guard.detect]\nenabled = false\n')
    guards = [new_guard(text), new_guard(text)]
    token = cli("guard", "keys", "create", "--name", "k", cwd=guards[0].folder).strip()
    until(lambda: all(guard.chat(key=token).status == 200 for guard in guards))
    number = cli("guard", "keys", "list", cwd=guards[0].folder).split()[0]
    cli("guard", "keys", "revoke", number, "--reason", "stolen", cwd=guards[0].folder)
    until(lambda: all(guard.chat(key=token).status == 401 for guard in guards))
