"""Two descriptions of one tokenizer, held against each other: which one is believed depends on the loader."""

import posixpath
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.configs.config_values import listing, mapping
from hauberk.assets.quoting import quote
from hauberk.assets.repository.json import beside, load_mapping
from hauberk.assets.tree import Tree
from hauberk.core import Asset, Fact

MAX_TOLD = 10


def tokenizers(asset: Asset, tree: Tree, budget: Budget) -> Iterator[Fact]:
    """Ids that tokenizer.json and tokenizer_config.json give to different tokens."""
    del asset
    for name in tree.files:
        if posixpath.basename(name) != "tokenizer_config.json" or beside(name, "tokenizer.json") not in tree.files:
            continue
        config = load_mapping(tree, name, budget)
        listed = mapping(config.get("added_tokens_decoder")) if config else None
        if not listed:
            continue
        whole = load_mapping(tree, beside(name, "tokenizer.json"), budget)
        if whole is None:
            continue
        added = [one for row in listing(whole.get("added_tokens")) or [] if (one := mapping(row)) is not None]
        by_id = {str(one.get("id")): one for one in added}
        told = 0
        for number, row in listed.items():
            one, other = mapping(row) or {}, by_id.get(number)
            if other is None or told >= MAX_TOLD:
                continue
            if one.get("content") != other.get("content"):
                told += 1
                first, second = quote(str(one.get("content")), 40), quote(str(other.get("content")), 40)
                note = f"token {quote(number, 20)} is {first} in tokenizer_config.json and {second} in tokenizer.json"
                yield Fact("tokenizer.contradiction", note, where=number, quote=f"{first} {second}", attrs={"path": name})
