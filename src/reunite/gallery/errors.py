"""What can go wrong with a gallery on disk, each with a code that a person can act on."""

from reunite.kernel.errors import ReuniteError


class GalleryLockedError(ReuniteError):
    """Another process writes this gallery; ``details`` names its process id."""

    code = "gallery_locked"


class GalleryReadOnlyError(ReuniteError):
    """This gallery was opened for reading."""

    code = "gallery_read_only"


class GalleryDiskFullError(ReuniteError):
    """The disk is full: this call changed nothing, and nothing acknowledged is lost."""

    code = "gallery_disk_full"


class GalleryDamagedError(ReuniteError):
    """A file does not match its checksum; rebuild the gallery from the database."""

    code = "gallery_damaged"


class GalleryMissingError(ReuniteError):
    """There is no gallery at this place."""

    code = "gallery_missing"


class GallerySpaceError(ReuniteError):
    """The gallery holds templates of another model, or of a length no code exists for."""

    code = "gallery_space"


class ShardUnavailableError(ReuniteError):
    """The shard that a change belongs to does not answer; the change may be sent again."""

    code = "gallery_shard_unavailable"
