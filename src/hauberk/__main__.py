"""`python -m hauberk`."""

from hauberk.cli import main

main()
