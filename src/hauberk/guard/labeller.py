"""Labels the answers that pass the gateway, whole or as they stream."""

from hauberk.assets.chat import Role
from hauberk.guard.exchange import Answer, Edit, Exchange
from hauberk.guard.gateway.hooks import Session
from hauberk.guard.incident import new_incident
from hauberk.guard.label import Labelling, header, labelled, metadata_of
from hauberk.guard.stream.labelled import LabelledSession


class Labeller:
    """Implements the inspector's `Label`."""

    def __init__(self, labelling: Labelling) -> None:
        self._labelling = labelling

    def header(self, exchange: Exchange) -> tuple[str, str]:
        """The implicit label as a response header."""
        return header(self._metadata(exchange))

    def edits(self, exchange: Exchange, answer: Answer, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
        """`edits`, with the explicit label on every text of the answer that is shown."""
        texts = {edit.path: edit.text for edit in edits}
        for piece in answer.pieces:
            if piece.role is Role.ASSISTANT and piece.call is None:
                texts[piece.path] = labelled(texts.get(piece.path, piece.text), self._labelling, self._metadata(exchange))
        return tuple(Edit(path, text) for path, text in texts.items())

    def wrap(self, session: Session, exchange: Exchange) -> Session:
        """`session` with labels on what it lets out."""
        return LabelledSession(session, self._labelling, self._metadata(exchange))

    def _metadata(self, exchange: Exchange) -> dict[str, str]:
        if not exchange.label_id:
            exchange.label_id = new_incident().replace("inc-", "gen-")
        return metadata_of(self._labelling, exchange.label_id)
