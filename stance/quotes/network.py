"""The tagger's network: a BERT encoder, a linear-chain CRF over span tags, and a score of each token for each cue.

The tags are those of CofeNet (Wang et al. 2022): one layer of B- and I- source, cue and content. The CRF follows
Lafferty, McCallum & Pereira 2001. Which source and content belong to a cue is read from `QuoteNetwork.roles`, so that
content which its cue interrupts, or several cues in a sentence, come out whole.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

from stance.quotes.windows import SHAPES, VOCABULARY

__all__ = ["ROLES", "TAGS", "EncoderLayer", "QuoteNetwork"]

TAGS = ("O", "B-source", "I-source", "B-cue", "I-cue", "B-content", "I-content")
ROLES = ("none", "source", "content")
_FAR = 64  # tokens: distances from a cue beyond it are one


class EncoderLayer(nn.Module):
    """A layer of the encoder: attention and a feed-forward part, each followed by its norm, as in BERT."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_1 = nn.LayerNorm(width, eps=1e-12)
        self.up = nn.Linear(width, inner)
        self.down = nn.Linear(inner, width)
        self.norm_2 = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return what follows `x`, shape ``(batch, tokens, width)``; tokens see those that the mask lets them."""
        b, t, w = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4)
        mixed = nnf.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        mixed = self.out(mixed.transpose(1, 2).reshape(b, t, w))
        x = self.norm_1(x + nnf.dropout(mixed, self.dropout, self.training))
        inner = self.down(nnf.gelu(self.up(x)))
        out: Tensor = self.norm_2(x + nnf.dropout(inner, self.dropout, self.training))
        return out


class QuoteNetwork(nn.Module):
    """Encoder and heads.

    Parameters
    ----------
    words
        Word embeddings, shape ``(vocabulary, width)``; never trained and never saved with the network.
    layers, heads, inner, positions
        Size of the encoder.
    rank
        Width of the space in which tokens meet cues.
    dropout
        While training.
    """

    words: Tensor
    allowed: Tensor

    def __init__(
        self,
        words: Tensor,
        *,
        layers: int = 6,
        heads: int = 12,
        inner: int = 1536,
        positions: int = 512,
        rank: int = 128,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        width = words.shape[1]
        self.size = {"layers": layers, "heads": heads, "inner": inner, "positions": positions, "rank": rank}
        self.dropout = dropout
        self.register_buffer("words", words[:VOCABULARY], persistent=False)
        self.positions = nn.Embedding(positions, width)
        self.shapes = nn.Embedding(SHAPES, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.layers = nn.ModuleList(EncoderLayer(width, heads, inner, dropout) for _ in range(layers))
        self.tag = nn.Linear(width, len(TAGS))
        self.transitions = nn.Parameter(torch.zeros(len(TAGS), len(TAGS)))
        self.cue = nn.Linear(width, rank)
        self.token = nn.Linear(width, rank)
        self.distance = nn.Embedding(2 * _FAR + 1, rank)
        self.role = nn.Linear(2 * rank, len(ROLES))
        self.register_buffer("allowed", _allowed(), persistent=False)
        nn.init.zeros_(self.shapes.weight)
        nn.init.normal_(self.distance.weight, std=0.02)

    def encode(self, ids: Tensor, shapes: Tensor, mask: Tensor | None) -> Tensor:
        """Return token vectors, shape ``(batch, tokens, width)``.

        Parameters
        ----------
        ids, shapes
            Shape ``(batch, tokens)``.
        mask
            True at tokens, False at padding; ``None`` where there is no padding.
        """
        x = self.embed(ids, shapes, torch.arange(ids.shape[1], device=ids.device))
        x = nnf.dropout(x, self.dropout, self.training)
        seen = None if mask is None else mask[:, None, None, :]
        for layer in self.layers:
            x = layer(x, seen)
        return x

    def embed(self, ids: Tensor, shapes: Tensor, places: Tensor) -> Tensor:
        """Return what the first layer reads, shape ``(…, width)``; `places` count from the start of the window."""
        x: Tensor = self.norm(nnf.embedding(ids, self.words) + self.positions(places) + self.shapes(shapes))
        return x

    def emissions(self, vectors: Tensor) -> Tensor:
        """Return tag scores, shape ``(…, tags)``."""
        scores: Tensor = self.tag(nnf.dropout(vectors, self.dropout, self.training)).float()
        return scores

    def moves(self) -> Tensor:
        """Return the scores of going from one tag to another, shape ``(tags, tags)``; minus 1e4 where impossible."""
        return self.transitions.float().masked_fill(~self.allowed, -1e4)

    def roles(self, vectors: Tensor, rows: Tensor, cues: Tensor, centres: Tensor) -> Tensor:
        """Score every token of a window as source or content of a cue.

        Parameters
        ----------
        vectors
            Token vectors, shape ``(batch, tokens, width)``.
        rows
            Window of each cue, shape ``(cues,)``.
        cues
            Share of each token in its cue's vector (rows sum to 1), shape ``(cues, tokens)``.
        centres
            Position that distances count from, shape ``(cues,)``.

        Returns
        -------
        Tensor of shape (cues, tokens, roles)
        """
        tokens = self.token(vectors)[rows]
        batch, length, width = vectors.shape
        shares = cues.new_zeros(len(rows), batch, length)
        shares[torch.arange(len(rows)), rows] = cues
        chosen = shares.flatten(1).to(vectors.dtype) @ vectors.reshape(-1, width)
        cue = self.cue(chosen)[:, None, :]
        apart = _apart(torch.arange(length, device=vectors.device), centres)
        joined = torch.cat([nnf.gelu(tokens + cue + self.distance(apart)), tokens * cue], dim=-1)
        scores: Tensor = self.role(nnf.dropout(joined, self.dropout, self.training)).float()
        return scores

    def window_roles(self, vectors: Tensor, places: Tensor, cues: Tensor, centres: Tensor) -> Tensor:
        """Score tokens as `roles` does, for the cues of one window at some of its tokens; not for training.

        Parameters
        ----------
        vectors
            Token vectors of the window, shape ``(tokens, width)``.
        places
            Tokens that are scored, shape ``(chosen,)``.
        cues, centres
            As `roles` takes them.

        Returns
        -------
        Tensor of shape (cues, chosen, roles)
        """
        tokens, cue = self.token(vectors[places]), self.cue(cues @ vectors)
        met = self.distance(_apart(places, centres)).add_(tokens).add_(cue[:, None, :])
        own, product = self.role.weight.split(self.cue.out_features, dim=1)
        # the product of token and cue is never spelled out: its weights are multiplied by the cue
        scores: Tensor = (product * cue[:, None, :]) @ tokens.T
        return nnf.linear(nnf.gelu(met), own, self.role.bias) + scores.transpose(1, 2)

    def tag_loss(self, emissions: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Return the CRF's negative log-likelihood per token.

        Parameters
        ----------
        emissions
            Shape ``(batch, tokens, tags)``.
        tags
            Gold tag ids, shape ``(batch, tokens)``.
        mask
            True at the tokens that count; they must come first in each row.
        """
        moves = self.moves()
        gold = emissions.gather(-1, tags[..., None]).squeeze(-1) * mask
        gold_moves = moves[tags[:, :-1], tags[:, 1:]] * mask[:, 1:]
        alpha = emissions[:, 0]
        for t in range(1, emissions.shape[1]):
            step = torch.logsumexp(alpha[:, :, None] + moves, dim=1) + emissions[:, t]
            alpha = torch.where(mask[:, t, None], step, alpha)
        total = torch.logsumexp(alpha, dim=-1).sum() - gold.sum() - gold_moves.sum()
        loss: Tensor = total / mask.sum()
        return loss


def _apart(places: Tensor, centres: Tensor) -> Tensor:
    """Return the row of `QuoteNetwork.distance` for each cue and place, shape ``(cues, places)``."""
    return (places[None, :] - centres[:, None]).clamp(-_FAR, _FAR) + _FAR


def _allowed() -> Tensor:
    """Return which tag may follow which: an I- tag only its own B- or I-."""
    return torch.tensor([[not b.startswith("I-") or a[2:] == b[2:] for b in TAGS] for a in TAGS])
