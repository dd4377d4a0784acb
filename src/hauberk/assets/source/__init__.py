"""Source code, scripts, notebooks and bytecode."""
