"""One module an engine. A module defines `compile_rules(rules) -> Detector` and raises RuleError on a bad `match`."""
