"""The APIs that models are called by, one file each: bodies and event streams to exchanges and back. No I/O."""
