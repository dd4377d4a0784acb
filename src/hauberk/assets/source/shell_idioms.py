"""What shell commands do, by their idioms: in scripts, and in the commands that programs in other languages start."""

import re
import shlex

IDIOMS: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("download-run", "downloads a script and runs it", re.compile(
        r"\b(?:curl|wget|fetch|lynx|aria2c)\b[^;\n]{0,400}\|\s{0,9}(?:sudo\s{1,9}(?:-\S{1,30}\s{1,9}){0,4})?(?:/[\w./-]{1,80}/)?(?:env\s+)?"
        r"(?:ba|z|k|da|fi|a)?sh\b"
    )),
    ("download-run", "downloads a program and runs it", re.compile(
        r"\b(?:curl|wget|fetch|lynx|aria2c)\b[^;\n]{0,400}\|\s{0,9}(?:sudo\s{1,9})?(?:/[\w./-]{1,80}/)?(?:python[\d.]*|perl|ruby|node|php)\b"
    )),
    ("download-run", "runs what it downloads", re.compile(
        r"\b(?:ba|z|da|k)?sh\b\s+(?:-c\s+)?(?:<\(|[\"']?\$\(|[\"']?`)\s*(?:curl|wget)\b|\beval\b[^;\n]{0,20}(?:\$\(|`)\s*(?:curl|wget)\b"
    )),
    ("download-run", "downloads a file, makes it executable and runs it", re.compile(
        r"\b(?:curl|wget)\b.{0,300}?(?:;|&&|\|\||\n).{0,80}?\bchmod\s+(?:\+x|[0-7]*[1357][0-7]*)\b.{0,200}?(?:;|&&|\n)", re.DOTALL
    )),
    ("download-run", "downloads a file to a temporary directory and runs it", re.compile(
        r"\b(?:curl|wget)\b.{0,200}?(/(?:var/)?tmp/[\w.-]+|/dev/shm/[\w.-]+).{0,120}?(?:;|&&|\n)\s*(?:(?:ba|z)?sh\s+|python[\d.]*\s+|nohup\s+)?\1",
        re.DOTALL,
    )),
    ("reverse-shell", "opens a shell to a remote host", re.compile(
        r"/dev/(?:tcp|udp)/|\b(?:nc|ncat|netcat)\b[^;|\n]{0,400}\s-\w{0,9}[ec]\w{0,9}\s{1,9}[\w./\\:-]{0,80}(?:sh|cmd)|"
        r"\bmkfifo\b.{0,200}\b(?:nc|ncat|netcat|telnet|openssl)\b|\bsocat\b[^\n]{0,400}\bexec:", re.IGNORECASE | re.DOTALL)),
    ("decode-run", "decodes text and runs it", re.compile(
        r"\bbase(?:64|32)\s+(?:-d|-D|--decode)\b[^;\n]{0,400}\|\s{0,9}(?:sudo\s{1,9})?(?:/[\w./-]{1,80}/)?(?:(?:ba|z|k|da)?sh|python[\d.]*|perl)\b"
        r"|\b(?:ba)?sh\b[^;\n]{0,400}(?:\$\(|`|<\()[^;\n]{0,400}base64\s+(?:-d|--decode)|\bxxd\s+-r\b[^;\n]{0,400}\|\s{0,9}(?:ba|z)?sh\b"
        r"|\beval\b[^;\n]{0,400}(?:\$\(|`)[^;\n]{0,400}base64\s+(?:-d|--decode)"
    )),
    ("powershell", "runs an encoded or downloaded PowerShell command", re.compile(
        r"\b(?:powershell|pwsh)(?:\.exe)?\b[^\n]{0,400}\s-(?:e|ec|en|enc|enco\w*)\s+[A-Za-z0-9+/=]{12,}"
        r"|\b(?:iex|invoke-expression)\b[^\n]{0,400}(?:downloadstring|invoke-webrequest|\biwr\b|net\.webclient|\birm\b|frombase64string)"
        r"|(?:downloadstring|\biwr\b|\birm\b|invoke-webrequest|invoke-restmethod|frombase64string)[^\n]{0,400}\|\s{0,9}(?:iex|invoke-expression)\b",
        re.IGNORECASE,
    )),
    ("windows-tool", "downloads or runs through a Windows tool", re.compile(
        r"\bcertutil(?:\.exe)?\b[^\n]{0,400}-(?:urlcache|decode\b)|\bbitsadmin\b[^\n]{0,400}/transfer|\bmshta(?:\.exe)?\s+[\"']?(?:https?:|javascript:|vbscript:)"
        r"|\bregsvr32\b[^\n]{0,400}/i:https?:|\brundll32\b[^\n]{0,400}(?:javascript:|https?:)|\bmsiexec\b[^\n]{0,400}/i\s*https?:|\bwmic\b[^\n]{0,400}process\s+call\s+create",
        re.IGNORECASE,
    )),
    ("destroy", "deletes the file system or home directory", re.compile(
        r"\brm\s{1,9}(?:-[\w-]{1,30}\s{1,9}){0,4}-\w{0,9}[rf]\w{0,9}\s{1,9}(?:-\S{1,30}\s{1,9}){0,4}[\"']?(?:/(?:\*|\s|$|[\"';&|])|~/?(?:\s|$|\*|[\"';&|])|\$HOME/?(?:\s|$|\*|[\"'])"
        r"|/(?:home|etc|usr|var|boot|root)/?(?:\s|$|\*|[\"';&|]))|--no-preserve-root|:\(\)\s*\{\s*:\|:&\s*\}\s*;"
        r"|\bmkfs(?:\.\w+)?\s+/dev/|\bdd\b[^\n]{0,400}\bof=/dev/(?:sd|nvme|hd|vd)", re.IGNORECASE
    )),
    ("persistence", "makes itself start again", re.compile(
        r"\|\s{0,9}crontab\b|\bcrontab\s+(?:-u\s{1,9}\w{1,32}\s{1,9})?[^-\s|;&][^\s|;&]{0,200}|>>?\s*[^\s;|&]{0,100}(?:\.bashrc|\.bash_profile|\.zshrc|\.profile|authorized_keys|"
        r"/etc/cron|/etc/rc\.local|/etc/ld\.so\.preload|\.config/autostart/|/etc/systemd/system/)"
        r"|\btee\s{1,9}(?:-a\s{1,9})?\S{0,100}(?:authorized_keys|/etc/cron|\.bashrc|ld\.so\.preload)"
        r"|\bschtasks\b[^\n]{0,400}/create|\breg(?:\.exe)?\s+add\b[^\n]{0,400}CurrentVersion\\+Run", re.IGNORECASE
    )),
    ("exfiltration", "sends credentials or files away", re.compile(
        r"(?:/etc/shadow|\.ssh/|id_rsa|\.aws/credentials|\.netrc|\.kube/config|\benv\b|\bprintenv\b)[^;\n]{0,400}\|\s{0,9}(?:base64[^|\n]{0,200}\|\s{0,9})?"
        r"(?:curl|wget|nc|ncat)\b|\bcurl\b[^;\n]{0,400}(?:-d|-F|--data\S*|-T|--upload-file)"
        r"[ =]{0,9}[^\s;]{0,200}(?:/etc/(?:passwd|shadow)|\.ssh/|id_rsa|\.aws/"
        r"|\.netrc|\.kube/|\$\(env\)|`env`|\$\(printenv\))", re.IGNORECASE
    )),
)  # fmt: skip

# Programs that only tell about the machine or the checkout.
_TELLING = frozenset({
    "arch", "brew", "c++", "cc", "clang", "clang++", "clear", "cls", "cmake", "cnmon", "conda", "dot",
    "doxygen", "dpkg", "dpkg-architecture", "dpkg-query", "ffmpeg", "ffprobe", "g++", "gcc", "getconf", "gs",
    "hipcc", "hipconfig", "java", "javac", "latex", "ld", "ldconfig", "ldd", "llvm-config", "locale",
    "lsb_release", "lscpu", "lsmod", "lspci", "mthreads-gmi", "mypy", "neuron-ls", "neuronx-cc", "ninja", "node", "npm",
    "nproc", "npu-smi", "nvcc", "nvidia-smi", "objdump", "otool", "pandoc", "pdflatex", "pdftoppm", "pkg-config", "readelf",
    "rocm-smi", "rocminfo", "rpm", "sox", "sphinx-build", "stty", "sw_vers", "sysctl", "system_profiler", "tesseract", "tput",
    "tsc", "tty", "uname", "ver", "vm_stat", "where", "whereis", "which", "xcode-select", "xcrun",
    "xelatex", "xpu-smi",
})  # fmt: skip
_GIT_TELLING = frozenset({
    "--version", "branch", "cat-file", "config", "describe", "diff", "for-each-ref", "log", "ls-files", "ls-tree",
    "merge-base", "name-rev", "remote", "rev-list", "rev-parse", "shortlog", "show", "status", "symbolic-ref", "tag",
    "version",
})  # fmt: skip
_CONTINUED = re.compile(r"\\\r?\n")
_SHELL_WORDS = re.compile(r"[;&`<>\n]|\$\(|\|\|?")


def unbroken(text: str) -> str:
    """`text` with continued lines as one line each; blanks keep every later offset where it was."""
    return _CONTINUED.sub(lambda m: " " * len(m[0]), text)


def hostile(command: str) -> str:
    """What is hostile in `command`, as one clause; "" when nothing is."""
    whole = unbroken(command)
    for _, what, pattern in IDIOMS:
        if pattern.search(whole):
            return what
    return ""


def only_tells(command: str) -> bool:
    """Whether `command` does no more than tell about the machine or the checkout."""
    text = re.sub(r"\d?>\s*/dev/null|2>&1", "", command)
    if _SHELL_WORDS.search(text):
        return False
    try:
        words = shlex.split(text)
    except ValueError:
        return False
    if not words:
        return False
    program = words[0].replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".exe")
    if program == "git":
        rest = [w for w in words[1:] if w in _GIT_TELLING]
        return bool(rest) and "--upload-pack" not in command and "core.sshCommand" not in command
    if re.fullmatch(r"python[\d.]*|\{sys\.executable\}|pip[\d.]*", program):
        return len(words) == 2 and words[1] in {"--version", "-V", "-VV"}
    return program in _TELLING


def installs_packages(command: str) -> bool:
    """Whether `command` asks a package manager to install something."""
    return (
        re.search(r"\b(?:pip[\d.]*|conda|mamba|uv|npm|apt|apt-get|yum|dnf|brew|easy_install)\b.*\b(?:install|add)\b", command)
        is not None
    )
