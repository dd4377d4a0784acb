"""Archives as the standard library writes them: the same members come out, and nothing is said against them."""

import io
import tarfile
import zipfile

from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.containers import tar_container, zip_container
from hauberk.assets.content import BytesContent
from hauberk.core import Asset

NAMES = st.text(st.sampled_from("abcdefgh_-.0123456789模型é "), min_size=1, max_size=12).filter(
    lambda name: name.strip(". ") != "" and name == name.strip()
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
FILES = st.dictionaries(PATHS, st.binary(max_size=300), max_size=6).filter(
    lambda files: len({name.lower() for name in files}) == len(files)
)
METHODS = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])


@given(FILES, METHODS, st.binary(max_size=40).filter(lambda comment: b"PK" not in comment))
@settings(max_examples=150, deadline=None)
def test_zipfile(files: dict[str, bytes], method: int, comment: bytes) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.comment = comment
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    items = list(zip_container.read(Asset(uri="a", name="a", content=BytesContent(out.getvalue())), Budget()))
    members = {item.name: item.content.read() for item in items if isinstance(item, Asset) and item.content is not None}
    assert members == files
    assert len(items) == len(files)


@given(FILES, st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
@settings(max_examples=150, deadline=None)
def test_tarfile(files: dict[str, bytes], dialect: int) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=dialect) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    items = list(tar_container.read(Asset(uri="a", name="a", content=BytesContent(out.getvalue())), Budget()))
    members = {item.name: item.content.read() for item in items if isinstance(item, Asset) and item.content is not None}
    assert members == files
    assert len(items) == len(files)
