"""What can go wrong with the database as a whole, each with what a person needs to mend it."""

from reunite.kernel.errors import ReuniteError


class DatabaseError(ReuniteError):
    """The database cannot be used as asked."""

    code = "database_error"


class DatabaseInUseError(DatabaseError):
    """A live process already runs this data directory; ``process_ids`` names it."""

    code = "database_in_use"


class DatabaseDiskFullError(DatabaseError):
    """Too little room on the disk of the data directory."""

    code = "database_disk_full"


class DatabaseDirectoryNotWritableError(DatabaseError):
    """The data directory cannot be made, or belongs to somebody else."""

    code = "database_data_directory_not_writable"


class DatabaseVersionMismatchError(DatabaseError):
    """The data was written by another major version of PostgreSQL, or a server is too old."""

    code = "database_version_mismatch"


class DatabaseAccountError(DatabaseError):
    """PostgreSQL can run neither as root nor as an account the system does not know."""

    code = "database_account_unusable"


class DatabaseNotStartedError(DatabaseError):
    """PostgreSQL did not start; ``log`` holds its last lines."""

    code = "database_not_started"


class DatabaseUnreachableError(DatabaseError):
    """No PostgreSQL answers at the given address."""

    code = "database_unreachable"
