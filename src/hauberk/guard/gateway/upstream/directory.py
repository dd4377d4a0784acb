"""Which upstreams serve a model, and in what order they are asked."""

import random

import msgspec

from hauberk.guard.gateway.upstream.upstream import Upstream
from hauberk.guard.settings import Api, GuardSettings

ANY = "*"


class Candidate(msgspec.Struct, frozen=True):
    """An upstream with the name the model has there."""

    upstream: Upstream
    model: str
    weight: float = 1.0
    tier: int = 0


class Directory:
    """The models of one configuration. `passing`: the upstreams that serve any other name too."""

    def __init__(self, settings: GuardSettings) -> None:
        self.upstreams = {upstream.name: Upstream(upstream) for upstream in settings.upstream}
        self._models: dict[str, tuple[Candidate, ...]] = {}
        for model in settings.model:
            self._models[model.name] = tuple(
                Candidate(self.upstreams[target.upstream], target.model or model.name, target.weight, target.tier)
                for target in model.to
            )
        for upstream in self.upstreams.values():
            for name in upstream.settings.models:
                if name != ANY and name not in {model.name for model in settings.model}:
                    self._models[name] = (*self._models.get(name, ()), Candidate(upstream, name))
        self.passing = [upstream for upstream in self.upstreams.values() if ANY in upstream.settings.models]

    @property
    def names(self) -> tuple[str, ...]:
        """Every model that is served under a name of its own."""
        return tuple(self._models)

    def candidates(self, model: str, api: Api) -> list[Candidate]:
        """Those that serve `model`, the one to ask first at the front; empty when nobody does."""
        known = self._models.get(model)
        if known is None:
            known = tuple(Candidate(upstream, model) for upstream in self.passing)
        fitting = [candidate for candidate in known if candidate.upstream.settings.api is api]
        return fitting if len(fitting) < 2 else sorted(fitting, key=_rank)

    def close(self) -> None:
        """Lets go of connections; answers under way go on to their end."""
        for upstream in self.upstreams.values():
            upstream.pool.close()


def _rank(candidate: Candidate) -> tuple[bool, int, float]:
    # A weighted shuffle: exponential waiting times, the shortest first (Efraimidis and Spirakis, 2006).
    usable = candidate.upstream.healthy and candidate.upstream.breaker.wait() == 0
    return not usable, candidate.tier, random.expovariate(candidate.weight)
