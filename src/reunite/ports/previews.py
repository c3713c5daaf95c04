"""Where illustrations of ageing are kept, apart from photos."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from reunite.cases.previews import AgePreview
from reunite.kernel.ids import CaseId, PreviewId


class PreviewRepository(Protocol):
    """Illustrations of cases, and when the next are due.

    They are no photos: no template can refer to them, and no list of photos holds them.
    """

    def add(self, preview: AgePreview) -> PreviewId:
        """Sets ``preview.id``.

        Raises ConflictError ``preview_already_there`` for the same age of the same photo.
        """
        ...

    def get(self, preview_id: PreviewId) -> AgePreview:
        """Raises NotFoundError."""
        ...

    def list_of_case(self, case_id: CaseId) -> list[AgePreview]:
        """By age, the youngest first."""
        ...

    def save(self, preview: AgePreview) -> None:
        """Write who approved it.  Raises NotFoundError."""
        ...

    def delete(self, preview_ids: Sequence[PreviewId]) -> list[str]:
        """Forget these; their storage keys."""
        ...

    def delete_of_case(self, case_id: CaseId) -> list[str]:
        """Forget all of a case and that any are due; their storage keys."""
        ...

    def set_due(self, case_id: CaseId, on: date | None) -> None:
        """Say when the case is to be looked at again; None: never."""
        ...

    def claim_due(self, on: date, limit: int) -> list[CaseId]:
        """Cases that are due by then, the longest due first; they are due no more.

        Two callers at the same time get different cases.
        """
        ...
