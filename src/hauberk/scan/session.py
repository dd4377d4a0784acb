"""One scan from targets to Run: walk, examine what the store does not already know, decide, record."""

import datetime as dt
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec

from hauberk import __version__
from hauberk.core import Gap, GapReason, Policy, Run, Versions
from hauberk.detect import Bench
from hauberk.policy.baseline import Baseline
from hauberk.policy.verdicts import concluded
from hauberk.rules import RulePack
from hauberk.scan.examine import Examined, examine_file, examine_unit
from hauberk.scan.options import ScanOptions
from hauberk.scan.pool import examine_all
from hauberk.scan.progress import Progress
from hauberk.scan.recorder import Recorder
from hauberk.scan.targets import Targets, opened
from hauberk.scan.walk import Entry, Walker

IN_PROCESS = 8  # this many files are examined without starting workers
IN_PROCESS_BYTES = 64 << 20


class Session:
    """What one scan works with. `run` gives its Run; a second session may resume an interrupted one."""

    def __init__(
        self,
        pack: RulePack,
        policy: Policy,
        options: ScanOptions,
        recorder: Recorder,
        *,
        baseline: Baseline | None = None,
        quiet: bool = False,
    ) -> None:
        self.pack, self.policy, self.options, self.recorder = pack, policy, options, recorder
        self.baseline, self.quiet = baseline, quiet
        # Statistics read tensor bytes, which a scan without hashing has promised not to.
        self.bench = Bench(rule for rule in pack.rules if options.hashing or rule.engine != "weights")

    def run(self, targets: Targets, *, resume: str = "") -> Run:
        """Scans `targets`. `resume` is the id of an interrupted run to go on from.

        An interruption ends the scan early and leaves its Run incomplete. Raises TargetError and StoreError.
        """
        run = Run(
            id=resume or uuid.uuid4().hex[:12],
            command="scan",
            targets=targets.all,
            versions=Versions(tool=__version__, rules=self.pack.digest),
            started=_now(),
            complete=False,
        )
        self.recorder.begin(run)
        with opened(targets, self.options) as walker:
            seen, complete = self._examine(walker)
            gaps = list(walker.gaps)
        if walker.excluded:
            note = f"{walker.excluded} files or folders are excluded by your configuration"
            gaps.append(Gap(targets.all[0], GapReason.NOT_REQUESTED, note, kind="file", root=targets.all[0]))
        if not complete:
            left = len(walker.entries) + len(walker.units) - len(seen)
            note = f"interrupted: {left} of {len(walker.entries)} files were not looked at; go on with --resume"
            gaps.append(Gap(targets.all[0], GapReason.INTERRUPTED, note, kind="file", root=targets.all[0]))
        done = _assembled(run, seen, gaps, complete=complete)
        done = concluded(done, self.policy, self.baseline)
        self.recorder.finish(done)
        return done

    def _examine(self, walker: Walker) -> tuple[list[Examined], bool]:
        """Everything examined so far, and whether that is everything."""
        seen: list[Examined] = []
        progress = Progress(len(walker.entries), sum(e.size for e in walker.entries), quiet=self.quiet)
        try:
            for unit in walker.units:
                seen.append(examine_unit(unit, self.bench, self.options))  # noqa: PERF401 - kept when interrupted
            for examined in self._files(walker.entries):
                seen.append(examined)
                progress.step(examined.record.size, len(examined.findings))
        except KeyboardInterrupt:
            return seen, False
        finally:
            progress.close()
        return seen, True

    def _files(self, entries: Sequence[Entry]) -> Iterator[Examined]:
        by_uri = {entry.uri: entry for entry in entries}
        unknown: list[Entry] = []
        for entry in entries:
            known = None if self.options.rescan else self.recorder.known(entry)
            if known:
                self.recorder.add(entry, known)
                yield known
            else:
                unknown.append(entry)
        for examined in self._fresh(unknown):
            self.recorder.add(by_uri[examined.record.uri], examined)
            yield examined

    def _fresh(self, entries: Sequence[Entry]) -> Iterator[Examined]:
        lookup = None if self.options.rescan else self.recorder.lookup()
        examine: Callable[[Entry], Examined] = partial(examine_file, bench=self.bench, options=self.options, lookup=lookup)
        jobs = self.options.jobs or os.cpu_count() or 1
        if len(entries) <= IN_PROCESS and sum(e.size for e in entries) <= IN_PROCESS_BYTES:
            return map(examine, entries)
        self.bench.compile_all()  # once, before the workers are forked
        return examine_all(entries, examine, jobs, self.options)


def _assembled(run: Run, seen: Sequence[Examined], gaps: Sequence[Gap], *, complete: bool) -> Run:
    ordered = sorted(seen, key=lambda examined: examined.record.uri)
    return msgspec.structs.replace(
        run,
        ended=_now(),
        complete=complete,
        assets=tuple(examined.record for examined in ordered),
        findings=tuple(finding for examined in ordered for finding in examined.findings),
        gaps=(*gaps, *(gap for examined in ordered for gap in examined.gaps)),
    )


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
