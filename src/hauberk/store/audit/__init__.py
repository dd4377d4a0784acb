"""The audit log: append-only, chained, in a Merkle tree, with signed checkpoints."""
