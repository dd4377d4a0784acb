"""Files of tensors, their hashes and their Merkle tree."""
