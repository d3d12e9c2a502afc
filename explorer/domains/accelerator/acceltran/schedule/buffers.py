"""On-chip buffers while a program runs: what they hold, what they let go, and when their port is free.

Source: AccelTran's published `buffer.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from explorer.domains.accelerator.acceltran.chip.constants import MEBIBYTE_BITS
from explorer.domains.accelerator.acceltran.program import Transfer
from graphdb.errors import InputError


@dataclass(slots=True)
class Tensor:
    """A tensor in the data buffer, the mask buffer or both.

    Attributes:
        transfer: what brought it.
        bits, mask_bits: that it takes in either.
        required: whether it may not be evicted.
    """

    transfer: Transfer
    bits: float
    mask_bits: float
    required: bool

    @property
    def name(self) -> str:
        """Name of the tensor."""
        return self.transfer.tensor


@dataclass(slots=True)
class BufferState:
    """A buffer with one port.

    Attributes:
        name: `weight`, `activation` or `mask`.
        capacity: in bits.
        held: name -> tensor, oldest first; the one that is on its way among them.
        arriving: the tensor on its way.
        free_at: cycle from which the port is free.
        in_use: whether it was not yet free when it was last looked at.
        used: bits taken.
        busy_cycles: in which the port moved data.
        peak: most bits held at once.
        bit_cycles: bits held, summed over the cycles until `counted_to`.
    """

    name: str
    capacity: float
    held: dict[str, Tensor] = field(default_factory=dict)
    arriving: str = ""
    free_at: int = 0
    in_use: bool = False
    used: float = 0.0
    busy_cycles: int = 0
    peak: float = 0.0
    bit_cycles: float = 0.0
    counted_to: int = 0

    def has(self, tensor: str) -> bool:
        """Whether a tensor is there whole."""
        return tensor in self.held and tensor != self.arriving

    def bits_of(self, tensor: Tensor) -> float:
        """What a tensor takes here."""
        return tensor.mask_bits if self.name == "mask" else tensor.bits

    def can_hold(self, tensor: Tensor) -> bool:
        """Whether there is room, or the published code takes it that dropping tensors would make room.

        It does where, without all tensors that are not required, there would be more room than the newest one takes.

        Raises:
            InputError: the tensor is larger than the buffer.
        """
        bits = self.bits_of(tensor)
        if self.capacity < bits:
            raise InputError(
                f"The {self.name} buffer has {_mebibytes(self.capacity)} MiB, but {tensor.name} needs "
                f"{_mebibytes(bits)} MiB there; allowed: a larger buffer, or the correction refetch."
            )
        if self.capacity - self.used >= bits:
            return True
        held = list(self.held.values())
        required = sum(self.bits_of(other) for other in held if other.required)
        return self.capacity - required > self.bits_of(held[-1])

    def put(self, tensor: Tensor, now: int, cycles: int) -> None:
        """Begin to bring a tensor in, after dropping the oldest ones that are not required until it fits.

        Args:
            tensor: to be brought.
            now: the cycle.
            cycles: that the port is busy.

        Raises:
            InputError: it does not fit even so.
        """
        bits = self.bits_of(tensor)
        for other in list(self.held.values()):
            if self.used + bits <= self.capacity:
                break
            if not other.required:
                self.drop(other, now)
        if self.used + bits > self.capacity:
            raise InputError(
                f"The {self.name} buffer has {_mebibytes(self.capacity)} MiB, of which {_mebibytes(self.used)} are "
                f"required when {tensor.name} comes with {_mebibytes(bits)} MiB; allowed: a larger buffer, or the "
                "correction refetch."
            )
        self.place(tensor, now)
        self.occupy_until(now + cycles, cycles)
        self.arriving = tensor.name

    def place(self, tensor: Tensor, now: int) -> None:
        """Take the room of a tensor."""
        self.count_to(now)
        self.held[tensor.name] = tensor
        self.used += self.bits_of(tensor)
        self.peak = max(self.peak, self.used)

    def occupy_until(self, end: int, cycles: int) -> None:
        """Use the port for some cycles up to an end."""
        self.free_at, self.in_use = max(self.free_at, end), True
        self.busy_cycles += cycles

    def drop(self, tensor: Tensor, now: int) -> None:
        """Forget a tensor."""
        self.count_to(now)
        self.used -= self.bits_of(tensor)
        del self.held[tensor.name]

    def settle(self, now: int) -> bool:
        """Whether the port has become free by then; what was on its way has arrived."""
        if self.in_use and self.free_at <= now:
            self.arriving, self.in_use = "", False
            return True
        return False

    def count_to(self, now: int) -> None:
        """Add up what was held until then."""
        self.bit_cycles += self.used * (now - self.counted_to)
        self.counted_to = now


def _mebibytes(bits: float) -> str:
    return f"{bits / MEBIBYTE_BITS:.6g}"
