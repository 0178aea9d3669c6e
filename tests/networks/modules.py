"""Small PyTorch modules, one for each thing that networks do; every name is importable."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Products(nn.Module):
    """Attention as three formulas, by hand and fused, beside products of several kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(16, 32)
        self.weight = nn.Parameter(torch.zeros(7, 16))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """``x [batch, length, 16]``."""
        heads = self.query(x).unflatten(-1, (4, 8)).transpose(1, 2)
        by_hand = (heads @ heads.mT).softmax(-1) @ heads
        fused = functional.scaled_dot_product_attention(heads, heads, heads)
        return by_hand, fused, torch.einsum("kc,blc->bkl", self.weight, x), torch.bmm(x, x.mT)


class Grouped(nn.Module):
    """Grouped-query attention, the keys and values repeated as transformers repeats them."""

    def __init__(self, fused: bool) -> None:
        super().__init__()
        self.fused = fused
        self.query, self.key = nn.Linear(16, 48), nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        """``x [batch, length, 16]``: six heads of queries, two of keys."""
        query = self.query(x).unflatten(-1, (6, 8)).transpose(1, 2)
        key = self.key(x).unflatten(-1, (2, 8)).transpose(1, 2)
        if self.fused:
            return functional.scaled_dot_product_attention(query, key, key, enable_gqa=True)
        batch, heads, length, width = key.shape
        wide = key[:, :, None].expand(batch, heads, 3, length, width)
        wide = wide.reshape(batch, 3 * heads, length, width)
        return (query @ wide.transpose(2, 3)).softmax(-1) @ wide


class Tower(nn.Module):
    """A little of everything that images meet."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, (3, 5), stride=(2, 1), padding=(1, 2))
        self.depthwise = nn.Conv2d(width, width, 3, dilation=2, padding="same", groups=width)
        self.norm = nn.BatchNorm2d(width)
        self.up = nn.ConvTranspose2d(width, 4, 4, stride=2, padding=1)
        self.head = nn.Linear(4, 10)

    def forward(self, x: Tensor) -> Tensor:
        """``x [batch, 3, height, width]``."""
        x = self.norm(self.depthwise(self.stem(x))).relu()
        return self.head(self.up(functional.max_pool2d(x, 2)).mean((2, 3)))


class Lines(nn.Module):
    """Convolutions along one axis and along three."""

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Conv1d(6, 4, 5, stride=2, groups=2)
        self.cube = nn.Conv3d(1, 8, (3, 2, 1), stride=(1, 2, 1))
        self.grouped = nn.Conv3d(8, 8, 3, padding=1, groups=8)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """``x [6, length]``, without a batch."""
        line = self.line(x)
        return line, self.grouped(self.cube(x.reshape(1, 1, 6, 4, -1)))


class Recurrent(nn.Module):
    """Two layers of LSTM, both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.LSTM(8, 16, 2, bidirectional=True, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """``x [batch, length, 8]``."""
        return self.cells(x)[0]


class Packed(Recurrent):
    """The same, of sequences of several lengths packed together."""

    def forward(self, x: Tensor) -> Tensor:
        """``x [batch, length, 8]``."""
        lengths = torch.full((x.shape[0],), x.shape[1])
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        found: Tensor = self.cells(packed)[0].data
        return found


class Words(nn.Module):
    """An embedding in front of a product, in a scope of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.head = nn.Embedding(50, 16), nn.Linear(16, 50, bias=False)

    def forward(self, tokens: Tensor, scale: Tensor) -> Tensor:
        """``tokens [batch, length]``, ``scale [1]``."""
        with torch.no_grad():
            found = self.head(self.table(tokens))
        return found * scale


class Values(nn.Module):
    """Control flow that depends on values."""

    def forward(self, x: Tensor) -> Tensor:
        """``x`` of any shape."""
        if x.sum() > 0:
            return x @ x.mT
        return x


class Cond(nn.Module):
    """Control flow in the graph."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        """``x [batch, 4]``."""
        x = self.linear(x)
        return torch.cond(x.sum() > 0, torch.sin, torch.cos, (x,))


class Loop(nn.Module):
    """As many steps as a value says."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        """``x [batch, 4]``."""
        for _ in range(int(x.sum())):
            x = self.linear(x)
        return x


@torch.library.custom_op("tilegrad_tests::mystery", mutates_args=())
def mystery(x: Tensor) -> Tensor:
    """Return a copy: what an operator of another package does is not known."""
    return x.clone()


@mystery.register_fake
def _(x: Tensor) -> Tensor:
    return torch.empty_like(x)


class Custom(nn.Module):
    """An operator that is not PyTorch's own."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        """``x [batch, 4]``."""
        return mystery(self.linear(x))


class Unknown(nn.Module):
    """PyTorch's own operators whose multiply-accumulates are not counted."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        """``x [batch, 4]``."""
        x = self.linear(x)
        return torch.cdist(x, x) + torch.einsum("ij,ij,kj->ik", x, x, x)


class Plain(nn.Module):
    """Nothing to map."""

    def forward(self, x: Tensor) -> Tensor:
        """``x`` of any shape."""
        return x.relu()


def broken() -> nn.Module:
    """Fail to make a module."""
    raise RuntimeError("no such luck")


def no_module() -> int:
    """Make no module."""
    return 3


made = Plain()
number = 7
