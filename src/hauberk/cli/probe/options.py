"""Options that several of the probe's commands share. None and () mean: not given, so that the configuration speaks."""

from collections.abc import Callable
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _all(*options: Decorator) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


target_options = _all(
    click.option("--model", help="The model to ask for. Default: the only one that the API lists."),
    click.option("--api-key-env", metavar="NAME", help="Environment variable that holds the API key."),
    click.option("--system", metavar="TEXT", help="The application's system prompt."),
    click.option(
        "-H", "--header", multiple=True, metavar="'NAME: VALUE'", help="Further header; ${NAME} takes a variable's value."
    ),
    click.option("--proxy", metavar="URL", help="HTTP proxy, or 'none'. Default: the environment's."),
    click.option("--ca", type=click.Path(dir_okay=False), help="PEM file with further certificate authorities."),
    click.option("--timeout", type=click.FloatRange(0.1), metavar="SECONDS", help="For one request. Default: 60."),
    click.option("--max-tokens", type=click.IntRange(1), help="Longest answer. Default: 512."),
    click.option("--temperature", type=click.FloatRange(0, 2), help="Default: 0."),
    click.option("--images", is_flag=True, help="The model sees images: attacks drawn into pictures are for it."),
    click.option("--prefill", is_flag=True, help="The model goes on from the beginning of an answer put into its mouth."),
    click.option("--no-tools", is_flag=True, help="The model takes no tools: nothing is offered to it."),
    click.option("--stream", is_flag=True, help="Ask for answers as streams, where the API has them."),
    click.option("--max-bytes", type=click.IntRange(1024), metavar="N", help="Longest answer read, unpacked. Default: 8 MiB."),
    click.option("--tools-from", metavar="SERVER", help="Give a model the tools of this MCP server (a command or URL)."),
    click.option("--judge", metavar="TARGET", help="A model that is asked where the built-in judges are unsure."),
    click.option("--judge-model", metavar="NAME", help="The model to ask the judge's API for."),
    click.option("--judge-key-env", metavar="NAME", help="Environment variable that holds the judge's API key."),
    click.option("--attacker", metavar="TARGET", help="A model that helps attacks which search."),
    click.option("--attacker-model", metavar="NAME", help="The model to ask the attacker's API for."),
    click.option("--attacker-key-env", metavar="NAME", help="Environment variable that holds the attacker's API key."),
)
choice_options = _all(
    click.option("--suite", metavar="NAME|FILE", help="quick (default), standard, full, tc260, agent, or a .toml file."),
    click.option("--attack", "attacks", multiple=True, metavar="NAME", help="Only this attack, or several joined by +."),
    click.option("--family", "families", multiple=True, metavar="NAME", help="Only this family of attacks."),
    click.option("--risk", "risks", multiple=True, metavar="NAME", help="Only seeds of this risk."),
    click.option("--bank", "banks", multiple=True, metavar="NAME|FILE", help="Only seeds of this bank, or of a seed file."),
    click.option("--lang-of-seeds", "langs", multiple=True, metavar="LANG", help="Only seeds in this language."),
    click.option("--seeds", "seeds_folder", type=click.Path(file_okay=False), help="Folder with further banks."),
    click.option("--attack-files", type=click.Path(file_okay=False), help="Folder with attacks of your own."),
    click.option("--per-risk", type=click.IntRange(0), metavar="N", help="Seeds of each risk at most; 0 takes all."),
    click.option("--per-cell", type=click.IntRange(0), metavar="N", help="Cases of each risk, family and language at most."),
    click.option("--limit", type=click.IntRange(0), metavar="N", help="Cases in all at most, spread evenly; twins come on top."),
    click.option("--trials", type=click.IntRange(1, 1000), metavar="N", help="Repetitions of each case. Default: 1."),
    click.option("--seed", type=int, metavar="N", help="Decides what is left to chance. Default: 0."),
    click.option("--no-twins", is_flag=True, help="Leave out the harmless twins: incapable then looks safe."),
)
pacing_options = _all(
    click.option("-c", "--concurrency", type=click.IntRange(1, 1024), metavar="N", help="Requests in flight at most. Default: 8."),
    click.option("--tries", type=click.IntRange(1, 20), metavar="N", help="Of a request that fails in passing. Default: 4."),
    click.option("--max-requests", type=click.IntRange(0), metavar="N", help="Budget: requests to the target."),
    click.option(
        "--max-total-tokens", type=click.IntRange(0), metavar="N", help="Budget: tokens, of prompts and answers together."
    ),
    click.option("--max-cost", type=click.FloatRange(0), metavar="X", help="Budget: money, by the prices below."),
    click.option("--max-seconds", type=click.FloatRange(0), metavar="S", help="Budget: time of this sitting."),
    click.option("--price-in", type=click.FloatRange(0), metavar="X", help="Price of a million tokens sent."),
    click.option("--price-out", type=click.FloatRange(0), metavar="X", help="Price of a million tokens answered."),
    click.option("--attacker-price-in", type=click.FloatRange(0), metavar="X", help="The same for the attacker model."),
    click.option("--attacker-price-out", type=click.FloatRange(0), metavar="X", help="The same for the attacker model."),
    click.option("--judge-price-in", type=click.FloatRange(0), metavar="X", help="The same for the judging model."),
    click.option("--judge-price-out", type=click.FloatRange(0), metavar="X", help="The same for the judging model."),
)
grading_options = _all(
    click.option(
        "--fail-on",
        multiple=True,
        metavar="THRESHOLD",
        help="Exit 1 when crossed: 'asr>0.1', 'asr[jailbreak].high>5%', 'over-refusal>0.05', 'grade>C'. Default: asr>0.15.",
    ),
    click.option("--profile", "profiles", multiple=True, metavar="NAME|FILE", help="Hold the run against a standard: tc260-003."),
)
runs_option = click.option("--runs", metavar="DIR", help="Where runs are kept. Default: .hauberk/probe.")
store_options = _all(
    click.option("--store", metavar="URL", help="Record of runs: a path, sqlite:///path or postgresql://..."),
    click.option("--no-store", is_flag=True, help="Leave no record beside the run's folder."),
)
config_option = click.option(
    "--config", type=click.Path(dir_okay=False), help="Default: hauberk.toml, here or up to the top of the git checkout."
)
FORMATS = ("plain", "json", "html", "md", "junit", "sarif")
format_option = click.option(
    "-f", "--format", "format_", type=click.Choice(FORMATS), help="Default: what -o's name says, else plain."
)
