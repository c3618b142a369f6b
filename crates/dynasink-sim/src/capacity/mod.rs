//! What a table can take: a pure model of capacity, which has no clock and does nothing by itself.
