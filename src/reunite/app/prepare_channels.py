"""Use quiet moments to do ahead what an alert would have to do for every browser."""

from reunite.app.services import Services
from reunite.ports import ChannelAddressId, ChannelName, PushChannel

BATCH = 200  # about 20 ms of work: an alert that comes meanwhile hardly waits


class Preparation:
    """Goes through all browsers in turn, a batch at each call."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._after = ChannelAddressId(0)

    def step(self) -> bool:
        """Prepare for the next browsers; False when there is nothing to do for now."""
        channel = self._services.channels.get(ChannelName.WEB_PUSH)
        if not isinstance(channel, PushChannel):
            return False
        with self._services.database.transaction() as transaction:
            listed = transaction.channel_addresses.list_after(
                ChannelName.WEB_PUSH, self._after, BATCH
            )
        if not listed:
            # From the beginning at the next quiet moment: some have been used since.
            self._after = ChannelAddressId(0)
            return False
        self._after = listed[-1].id
        if not channel.prepare([address.address for address in listed]):
            self._after = ChannelAddressId(0)
            return False
        return True
