"""Messages to and from a model, as assets."""

from hauberk.assets.chat.message import Context, Direction, MessageContent, Role, ToolCall, ToolSpec, message_asset, message_of

__all__ = ["Context", "Direction", "MessageContent", "Role", "ToolCall", "ToolSpec", "message_asset", "message_of"]
