"""Gateways that run as processes, in front of a scripted model or a real one."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from guard_process import OPEN, STRICT, Guard, NewGuard, both, cli
from scripted_model import Model


@pytest.fixture(scope="session")
def shared_model() -> Iterator[Model]:
    made = Model()
    yield made
    made.close()


@pytest.fixture
def model(shared_model: Model) -> Iterator[Model]:
    """What stands behind the gateways."""
    shared_model.reset()
    yield shared_model
    if shared_model.wait is not None:
        shared_model.wait.set()


@pytest.fixture(scope="session")
def plain(shared_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """A gateway that anybody may use, with audit log, approvals and metrics."""
    made = Guard(tmp_path_factory.mktemp("plain"), both(shared_model.url, more=OPEN))
    try:
        yield made.ready()
    finally:
        made.kill()


@pytest.fixture(scope="session")
def strict(shared_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """A gateway that asks for keys, plants canaries, labels answers and waits but shortly for approvals."""
    folder = tmp_path_factory.mktemp("strict")
    made = Guard(folder, both(shared_model.url, more=STRICT))
    try:
        yield made.ready()
    finally:
        made.kill()


@pytest.fixture(scope="session")
def strict_key(strict: Guard) -> str:
    """A key for `strict` that may do everything."""
    return cli("guard", "keys", "create", "--name", "tests", cwd=strict.folder).strip()


@pytest.fixture
def new_guard(tmp_path: Path) -> Iterator[NewGuard]:
    """Starts further gateways; all are gone after the test."""
    made: list[Guard] = []

    def make(config: str, **more: object) -> Guard:
        folder = tmp_path / f"guard{len(made)}"
        folder.mkdir()
        made.append(Guard(folder, config, **more))
        return made[-1].ready()

    yield make
    for one in made:
        one.kill()
