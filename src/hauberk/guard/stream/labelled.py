"""A session whose texts get the label of generated content on their way out."""

from hauberk.guard.gateway.hooks import Decision, Release, Session, decision_so_far
from hauberk.guard.label import Labelling, StreamLabel


class LabelledSession:
    """Implements `hooks.Session` around another; calls of tools are left as they are."""

    def __init__(self, session: Session, labelling: Labelling, metadata: dict[str, str]) -> None:
        self._session = session
        self._labelling = labelling
        self._metadata = metadata
        self._labels: dict[str, StreamLabel] = {}

    async def push(self, channel: str, text: str, tool: str = "") -> Release:
        return self._labelled(await self._session.push(channel, text, tool))

    async def end(self, channel: str) -> Release:
        release = self._labelled(await self._session.end(channel))
        label = self._labels.pop(channel, None)
        if label is None or release.decision is not None:
            return release
        return Release((*release.texts, *_said(channel, label.end())), release.decision)

    def due(self) -> float | None:
        return self._session.due()

    async def tick(self) -> Release:
        return self._labelled(await self._session.tick())

    @property
    def decision(self) -> Decision | None:
        """What was found so far, for the record."""
        return decision_so_far(self._session)

    def _labelled(self, release: Release) -> Release:
        texts = [pair for channel, text in release.texts for pair in self._one(channel, text)]
        return Release(tuple(texts), release.decision)

    def _one(self, channel: str, text: str) -> tuple[tuple[str, str], ...]:
        if not _shown(channel):
            return ((channel, text),)
        label = self._labels.setdefault(channel, StreamLabel(self._labelling, self._metadata))
        return _said(channel, label.push(text))


def _shown(channel: str) -> bool:
    """Whether `channel` carries the answer that people read: not a call's arguments, reasoning or a refusal."""
    return "/" not in channel or "/text/" in channel or "/output_text/" in channel


def _said(channel: str, text: str) -> tuple[tuple[str, str], ...]:
    return ((channel, text),) if text else ()
