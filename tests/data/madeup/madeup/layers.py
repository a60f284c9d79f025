import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 12, 8, stride=8)
        self.qkv = nn.Linear(12, 36)

    def forward(self, x):
        tokens = self.embed(x).flatten(2).transpose(1, 2)
        query, key, value = self.qkv(tokens).chunk(3, dim=-1)
        return nn.functional.scaled_dot_product_attention(query, key, value)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(96, 16, batch_first=True)

    def forward(self, x):
        return self.lstm(x.permute(0, 2, 1, 3).flatten(2))[0]
