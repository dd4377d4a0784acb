"""Downloads one URL into a folder, with a cap. Proxies and certificates come from the environment, as for any client."""

import http.client
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request

from hauberk import __version__
from hauberk.scan.spool import TargetError, copy_bounded

TIMEOUT = 30.0  # seconds without a byte


def download(url: str, folder: str, limit: int) -> tuple[str, bool]:
    """The path of the downloaded file, and whether it was cut at `limit` bytes.

    Raises TargetError on any failure, a short answer included.
    """
    name = os.path.basename(urllib.parse.unquote(urllib.parse.urlsplit(url).path)) or "download"
    path = os.path.join(folder, name.replace("\0", "_")[:200])
    request = urllib.request.Request(url, headers={"User-Agent": f"hauberk/{__version__}"})  # noqa: S310 - is_url admits http(s) only
    try:
        with _opener().open(request, timeout=TIMEOUT) as answer, open(path, "wb") as file:
            announced = answer.headers.get("Content-Length", "")
            cut = copy_bounded(answer, file, limit)
        got = os.path.getsize(path)
        if not cut and announced.isdigit() and got < int(announced):
            raise TargetError(f"{url}: the download broke off after {got} of {announced} bytes; try again")
    except urllib.error.HTTPError as error:
        raise TargetError(f"{url}: the server answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise TargetError(f"{url}: cannot be fetched: {reason}") from error
    return path, cut


def _opener() -> urllib.request.OpenerDirector:
    # http and https only, redirects included: no file:, ftp: or data: after the first answer.
    opener = urllib.request.OpenerDirector()
    handlers = (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    )
    for handler in handlers:
        opener.add_handler(handler)
    return opener
