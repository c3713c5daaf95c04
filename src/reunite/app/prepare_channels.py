"""Use quiet moments to do ahead what an alert would have to do for every browser."""

from datetime import datetime, timedelta

from reunite.app.services import Services
from reunite.ports import ChannelAddressId, ChannelName, PushChannel

BATCH = 200  # about 20 ms of work: an alert that comes meanwhile hardly waits
# Between two rounds; what an alert has used up is made anew in the next.
REST = timedelta(minutes=1)


class Preparation:
    """Goes through all browsers in turn, a batch at each call."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._after = ChannelAddressId(0)
        self._rests_until: datetime | None = None

    def step(self) -> bool:
        """Prepare for the next browsers; False when there is nothing to do for now."""
        channel = self._services.channels.get(ChannelName.WEB_PUSH)
        now = self._services.clock.now()
        if not isinstance(channel, PushChannel) or (
            self._rests_until is not None and now < self._rests_until
        ):
            return False
        with self._services.database.transaction() as transaction:
            listed = transaction.channel_addresses.list_after(
                ChannelName.WEB_PUSH, self._after, BATCH
            )
        has_room = channel.prepare([address.address for address in listed])
        if len(listed) < BATCH or not has_room:
            self._after, self._rests_until = ChannelAddressId(0), now + REST
            return False
        self._after = listed[-1].id
        return True
