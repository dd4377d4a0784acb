"""Run in, bytes out: one module a format, each with `render(run, pack, language) -> bytes`."""
