"""Reports of a probe: html, json, junit, md and plain text. For sarif, `hauberk.report` takes the run's findings."""
