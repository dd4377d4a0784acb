"""What a guard has learnt of attacks that got through: a small detector beside the shipped ones."""

from hauberk.detect.learnt.file import LearntFileError
from hauberk.detect.learnt.folder import read_folder
from hauberk.detect.learnt.model import Learnt

__all__ = ["Learnt", "LearntFileError", "read_folder"]
