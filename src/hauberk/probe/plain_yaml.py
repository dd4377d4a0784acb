"""YAML as seeds and attacks are written in it: no aliases, no key twice."""

from typing import Any

import yaml


class PlainYamlError(ValueError):
    """It cannot be read. One line that says why."""


DEEPEST = 50
"""Lists and mappings within each other. Thousands of them would overflow the stack of the loader in C, which ends the process."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the safe loader, in C where there is one


def read_yaml(data: bytes | str) -> object:
    """What `data` says. Raises PlainYamlError."""
    try:
        _check_events(data)
        loader = _LOADER(data)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _check_keys(node)
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except PlainYamlError:
        raise
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise PlainYamlError(f"not YAML: {' '.join(str(error).split())[:200]}") from error


def _check_events(data: bytes | str) -> None:
    """Raises PlainYamlError for an alias and for what lies too deep, before anything is built of it."""
    depth = 0
    for event in yaml.parse(data, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            # An alias may stand for an alias and so on: a page of them unfolds to more than any memory holds.
            raise PlainYamlError("YAML aliases are not taken; write the text out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise PlainYamlError(f"not YAML that is taken: more than {DEEPEST} lists and mappings within each other")


def _check_keys(root: yaml.Node) -> None:
    """Raises PlainYamlError for a key that stands twice in a mapping, of which only the last would be taken."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
            _check_mapping(node)


def _check_mapping(mapping: yaml.MappingNode) -> None:
    keys: set[str] = set()
    for key, _ in mapping.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in keys:
                line = key.start_mark.line + 1
                raise PlainYamlError(f"line {line}: {key.value[:60]!r} stands twice; put what belongs there together")
            keys.add(key.value)
