"""On-chip buffers while a program runs: the tensors they hold and evict, and when their port is free.

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
        transfer: transfer that brought it.
        bits, mask_bits: numbers of bits that it takes in each.
        required: whether it must not be evicted.
    """

    transfer: Transfer
    bits: float
    mask_bits: float
    required: bool

    @property
    def name(self) -> str:
        """The name of the tensor."""
        return self.transfer.tensor


@dataclass(slots=True)
class BufferState:
    """The state of a buffer with one port.

    Attributes:
        name: `weight`, `activation` or `mask`.
        capacity: capacity in bits.
        held: name -> tensor, oldest first, including the arriving one.
        arriving: tensor that is being brought in.
        free_at: cycle from which the port is free.
        in_use: whether the port was still busy when it was last looked at.
        used: number of bits in use.
        busy_cycles: number of cycles in which the port moved data.
        peak: largest number of bits held at once.
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
        """Whether the buffer holds a whole tensor."""
        return tensor in self.held and tensor != self.arriving

    def bits_of(self, tensor: Tensor) -> float:
        """Number of bits that a tensor takes in this buffer."""
        return tensor.mask_bits if self.name == "mask" else tensor.bits

    def can_hold(self, tensor: Tensor) -> bool:
        """Whether there is room, or the published code assumes that dropping tensors would make room.

        It assumes so if dropping all tensors that are not required would leave more room than the newest one takes.

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
        """Start to bring in a tensor, after dropping the oldest ones that are not required until it fits.

        Args:
            tensor: tensor to bring in.
            now: current cycle.
            cycles: number of cycles that the port is busy.

        Raises:
            InputError: it still does not fit.
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
        """Reserve the room of a tensor."""
        self.count_to(now)
        self.held[tensor.name] = tensor
        self.used += self.bits_of(tensor)
        self.peak = max(self.peak, self.used)

    def occupy_until(self, end: int, cycles: int) -> None:
        """Keep the port busy for a number of cycles, until `end`."""
        self.free_at, self.in_use = max(self.free_at, end), True
        self.busy_cycles += cycles

    def drop(self, tensor: Tensor, now: int) -> None:
        """Remove a tensor."""
        self.count_to(now)
        self.used -= self.bits_of(tensor)
        del self.held[tensor.name]

    def settle(self, now: int) -> bool:
        """Whether the port has become free by now, so that the arriving tensor is there."""
        if self.in_use and self.free_at <= now:
            self.arriving, self.in_use = "", False
            return True
        return False

    def count_to(self, now: int) -> None:
        """Update `bit_cycles` with the bits held until now."""
        self.bit_cycles += self.used * (now - self.counted_to)
        self.counted_to = now


def _mebibytes(bits: float) -> str:
    return f"{bits / MEBIBYTE_BITS:.6g}"
