"""What the callables of Python programs do, for source code, where `os.path.join` is ordinary and `os.system` is not.

The capability map answers for object streams, in which naming `os` at all is a sign; source code names it on every page.
"""

import re

_COMMAND = {
    "os": "system popen popen2 popen3 popen4 startfile execl execle execlp execlpe execv execve execvp execvpe spawnl spawnle "
    "spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe posix_spawn posix_spawnp fork_exec",
    "subprocess": "run call check_call check_output Popen getoutput getstatusoutput",
    "pty": "spawn",
    "commands": "getoutput getstatusoutput",
    "popen2": "popen2 popen3 Popen3",
    "platform": "popen",
    "asyncio": "create_subprocess_shell create_subprocess_exec",
    "asyncio.subprocess": "create_subprocess_shell create_subprocess_exec",
    "pexpect": "spawn run runu",
    "plumbum": "local",
    "invoke": "run",
    "IPython": "get_ipython().system get_ipython().getoutput",
    "builtins": "get_ipython().system get_ipython().getoutput",
    "_posixsubprocess": "fork_exec",
    "distutils.spawn": "spawn",
    "pip": "main",
    "pip._internal": "main",
    "pip._internal.main": "main",
    "pip._internal.cli.main": "main",
    "setuptools.command.easy_install": "main",
}
_EVAL = {
    "builtins": "eval exec execfile",
    "runpy": "run_path run_module _run_code _run_module_code",
    "types": "FunctionType CodeType LambdaType",
    "code": "InteractiveInterpreter().runcode InteractiveInterpreter().runsource InteractiveConsole().push interact",
    "timeit": "timeit repeat Timer",
    "cProfile": "run runctx",
    "pdb": "run runeval",
    "torch.utils.cpp_extension": "load load_inline",
}
_UNPICKLE = {
    "pickle": "load loads Unpickler",
    "_pickle": "load loads Unpickler",
    "cPickle": "load loads",
    "dill": "load loads",
    "cloudpickle": "load loads",
    "joblib": "load",
    "marshal": "load loads",
    "shelve": "open",
    "torch": "load",
    "jsonpickle": "decode",
    "pandas": "read_pickle",
}
_NETWORK = {
    "urllib.request": "urlopen urlretrieve Request build_opener().open URLopener().open URLopener().retrieve",
    "urllib": "urlopen urlretrieve",
    "requests": "get post put patch delete head request Session().get Session().post Session().put Session().request "
    "session().get session().post",
    "httpx": "get post put patch delete head request stream Client().get Client().post Client().request "
    "AsyncClient().get AsyncClient().post",
    "urllib3": "request PoolManager().request PoolManager().urlopen",
    "aiohttp": "ClientSession().get ClientSession().post ClientSession().request request",
    "http.client": "HTTPConnection().request HTTPSConnection().request HTTPConnection().connect HTTPSConnection().connect",
    "socket": "create_connection socket().connect socket().connect_ex socket().sendto gethostbyname getaddrinfo",
    "ftplib": "FTP FTP_TLS",
    "smtplib": "SMTP SMTP_SSL",
    "telnetlib": "Telnet",
    "paramiko": "SSHClient().connect",
    "websocket": "create_connection WebSocketApp",
    "websockets": "connect",
    "wget": "download",
    "pycurl": "Curl().perform",
    "dns.resolver": "resolve query",
    "xmlrpc.client": "ServerProxy",
    "http.server": "HTTPServer ThreadingHTTPServer",
    "socketserver": "TCPServer ThreadingTCPServer UDPServer",
}
_NATIVE = {
    "ctypes": "CDLL cdll.LoadLibrary PyDLL OleDLL WinDLL windll.LoadLibrary",
    "torch.ops": "load_library",
    "torch.classes": "load_library",
    "tensorflow": "load_op_library load_library",
    "cffi": "FFI().dlopen",
    "importlib.machinery": "ExtensionFileLoader",
    "imp": "load_dynamic load_source",
}
_TABLES = (("command", _COMMAND), ("eval", _EVAL), ("unpickle", _UNPICKLE), ("network", _NETWORK), ("native", _NATIVE))
TABLE: dict[str, str] = {
    f"{module}.{name}": does for does, table in _TABLES for module, names in table.items() for name in names.split()
}
ALIASES = {
    "posix": "os", "nt": "os", "__builtin__": "builtins", "__builtins__": "builtins", "urllib2": "urllib.request",
    "builtins.__builtins__": "builtins", "builtins.__import__": "importlib.import_module", "six.moves.builtins": "builtins",
    "posixpath": "os.path", "ntpath": "os.path", "six.moves.urllib": "urllib", "six.moves.cPickle": "pickle",
    "importlib.__import__": "importlib.import_module", "codecs.builtins": "builtins",
}  # fmt: skip
# Modules that others hand out as an attribute: `torch.os.system` is `os.system`.
_HANDED_OUT = frozenset({"os", "subprocess", "builtins", "pty", "socket", "ctypes", "runpy", "marshal", "pickle"})


def canonical(ref: str) -> str:
    """`ref` under its usual name: aliases replaced, a well-known module reached through another one put first."""
    head, _, rest = ref.partition(".")
    known = ALIASES.get(ref) or (f"{ALIASES[head]}.{rest}" if head in ALIASES and rest else ALIASES.get(head, ref))
    if known in TABLE:
        return known
    parts = known.split(".")
    for number, part in enumerate(parts[1:-1], 1):
        if part in _HANDED_OUT and ".".join(parts[number:]) in TABLE:
            return ".".join(parts[number:])
    return known


def does(ref: str) -> str:
    """What calling `ref` does: command, eval, unpickle, network, native; "" for everything else."""
    if ref.startswith("ctypes.") and ref.rpartition(".")[2] in _LIBRARY_COMMANDS:
        return "command"
    return TABLE.get(ref, "")


# Functions of the C library and of Windows that start programs.
_LIBRARY_COMMANDS = frozenset({
    "system", "popen", "execl", "execlp", "execle", "execv", "execvp", "execve", "posix_spawn", "WinExec", "ShellExecuteA",
    "ShellExecuteW", "CreateProcessA", "CreateProcessW",
})  # fmt: skip
# What hands back a file that came over the network.
FETCHES = frozenset({
    "huggingface_hub.hf_hub_download", "huggingface_hub.snapshot_download", "huggingface_hub.cached_download",
    "transformers.utils.cached_file", "transformers.utils.hub.cached_file", "modelscope.snapshot_download",
    "modelscope.hub.snapshot_download", "gdown.download", "wget.download", "torch.hub.download_url_to_file", "pooch.retrieve",
})  # fmt: skip
# Calls that write to a path among their arguments.
WRITERS = frozenset({
    "copy", "copy2", "copyfile", "copytree", "move", "rename", "replace", "symlink", "link", "write_file", "save", "savetxt",
    "tofile", "extract", "extractall", "urlretrieve", "download", "GFile", "FileIO", "symlink_to", "hardlink_to",
})  # fmt: skip
# Bases whose methods are called when a model is loaded or used.
MODEL_BASES = re.compile(
    r"(?:PreTrained|Pretrained|Processor|Tokenizer|FeatureExtractor|Pipeline|Handler|LightningModule|PythonModel|ModelMixin|ConfigMixin|"
    r"StoppingCriteria|Callback)\w*$|^(?:Module|Model|Layer|GenerationMixin|Flax\w+|TFPreTrained\w*)$"
)


DECODERS = frozenset(
    f"{module}.{name}"
    for module, names in {
        "base64": "b64decode urlsafe_b64decode standard_b64decode decodebytes decodestring b32decode b16decode b85decode a85decode",
        "binascii": "unhexlify a2b_base64 a2b_hex a2b_uu",
        "zlib": "decompress decompressobj().decompress",
        "gzip": "decompress",
        "bz2": "decompress",
        "lzma": "decompress",
        "codecs": "decode",
        "builtins": "bytes.fromhex bytearray.fromhex",
        "marshal": "loads",
        "cryptography.fernet": "Fernet().decrypt",
    }.items()
    for name in names.split()
)
# Calls that call the function they are given, at once or a little later.
CALLERS = frozenset({
    "atexit.register", "threading.Thread", "threading.Timer", "multiprocessing.Process", "_thread.start_new_thread",
    "builtins.map", "builtins.filter", "asyncio.run", "signal.signal", "sys.settrace", "sys.setprofile", "builtins.next",
    "builtins.list", "builtins.sorted", "builtins.max", "builtins.min", "functools.reduce", "sys.addaudithook", "builtins.iter",
})  # fmt: skip
# Methods and functions that frameworks call while a model is loaded or first used.
ON_LOAD = frozenset({
    "__init__", "__new__", "__reduce__", "__reduce_ex__", "__setstate__", "__del__", "__init_subclass__", "__set_name__",
    "__getattr__", "__getattribute__", "__call__", "__post_init__", "__class_getitem__", "__enter__", "forward",
    "from_pretrained", "_from_pretrained", "from_config", "load_model", "load", "load_context", "_load_pyfunc", "initialize",
    "preprocess", "inference", "postprocess", "handle", "predict", "generate", "register", "init", "model_fn", "input_fn",
    "predict_fn", "output_fn", "build", "call", "get_model", "setup", "post_init", "_init_weights",
})  # fmt: skip
INSTALL_BASES = frozenset({"install", "develop", "egg_info", "install_lib", "install_scripts", "bdist_egg", "editable_wheel"})

SECRET_PATH = re.compile(
    r"(?i)/etc/(?:shadow|passwd|sudoers)|\.ssh(?:/|$)|id_(?:rsa|ed25519|ecdsa|dsa)\b|\.aws/|\.netrc|\.git-credentials|\.kube/config"
    r"|\.docker/config\.json|\.huggingface/token|huggingface/token|\.npmrc|\.pypirc|gcloud/|\.azure/|wallet\.dat|Login Data"
    r"|\.gnupg|\.bash_history|\.zsh_history|Local State|/proc/self/environ|\.config/gh/hosts"
)
PERSISTENT_PATH = re.compile(
    r"(?i)\.(?:bashrc|bash_profile|bash_login|zshrc|zprofile|profile|bash_logout|xinitrc|xprofile)$|/etc/(?:cron|profile|init\.d|rc\.local|"
    r"ld\.so\.preload|systemd|sudoers|passwd|shadow)|/var/spool/cron|authorized_keys|systemd/(?:system|user)/|LaunchAgents/|LaunchDaemons/"
    r"|Start Menu.*Startup|(?:site|user)customize\.py$"
    r"|site-packages/.*\.pth$|[^/]\.pth\.py$|CurrentVersion\\+Run\b|autostart/|\.git/hooks/"
)
_ROOT = re.compile(r"^(?:/|~|/home|/root|/etc|/usr|/var|/boot|C:\\+(?:Windows|Users)?\\*|\$HOME)/?\*?$", re.IGNORECASE)


def is_root(path: str) -> bool:
    """Whether `path` is a directory whose loss is the loss of the machine or of its user's files."""
    return _ROOT.match(path) is not None
